import type { CellBook } from '../cells/cell-book.js';

/** Measures what is not measured yet while there is time, and keeps a list of what there was none for. */
export class Lab<Measured> {
  readonly missing: string[] = [];

  constructor(
    private readonly book: Pick<CellBook<Measured>, 'has' | 'take'>,
    private readonly progress: (line: string) => void,
    /** Whether there is time for one more. */
    private readonly hasTime: () => boolean,
  ) {}

  /** Takes what is known, and measures nothing. */
  shut(): Lab<Measured> {
    return new Lab(this.book, this.progress, () => false);
  }

  async take<One extends Measured>(name: string, measure: () => Promise<One>): Promise<One | undefined> {
    if (this.book.has(name) || this.hasTime()) return this.book.take(name, measure, this.progress);
    this.missing.push(name);
    return undefined;
  }
}
