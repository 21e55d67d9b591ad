/** The last so many characters of a stream. */
export class Tail {
  text = '';

  constructor(private readonly length: number) {}

  add(text: string): void {
    this.text = (this.text + text).slice(-this.length);
  }
}
