import type { Fields } from '../json.js';

const MOST_ENTRIES = 10_000;

/** Remembers what `read` functions answered, by function and declared reads, until it is too old. Bounded: the oldest answers go first. */
export class Memo {
  private readonly answers = new Map<string, { readonly expiresAt: number; readonly fields: Fields }>();

  /** Times in milliseconds, of the clock of the run. */
  get(name: string, reads: Fields, now: number): Fields | undefined {
    const key = keyOf(name, reads);
    const found = this.answers.get(key);
    if (found && found.expiresAt > now) return found.fields;
    if (found) this.answers.delete(key);
    return undefined;
  }

  set(name: string, reads: Fields, fields: Fields, expiresAt: number): void {
    const key = keyOf(name, reads);
    this.answers.delete(key);
    this.answers.set(key, { expiresAt, fields });
    const [oldest] = this.answers.keys();
    if (this.answers.size > MOST_ENTRIES && oldest !== undefined) this.answers.delete(oldest);
  }
}

/** A name is that of one function of a pipeline. Declared reads come in the order of the schema, so equal reads give equal text. */
function keyOf(name: string, reads: Fields): string {
  return `${name} ${JSON.stringify(reads)}`;
}
