import { TerminalError, type Fields, type Json } from '@autoflow/pipeline';

/** How a function of a random pipeline behaves: its answer is decided by what it reads, so the same everywhere. Shares in percent. */
export interface Behaviour {
  /** Of inputs for which it fails for good. */
  readonly fails: number;
  /** Attempts that fail for each identity before one succeeds. */
  readonly stumbles: number;
  /** Of inputs that a filter drops. */
  readonly drops: number;
}

/** Whom a call is for, as far as it can tell. A blind one cannot, and must not: its answer may serve another record that reads the same. */
export interface Subject {
  readonly identity: string | undefined;
  readonly reads: Fields;
}

/** A function failed a record, or a child of it, for good. */
export interface Failure {
  readonly node: string;
  readonly record: string;
}

/** What is outside of a run: what its sinks were given, what its resources hold, what went wrong. A run has its own. */
export class World {
  /** In the order written; repeated writes with one key count once. */
  readonly rows: { readonly node: string; readonly record: string; readonly key: string; readonly value: number }[] = [];
  /** But for those of blind calls, which cannot say whom they failed. */
  readonly failures: Failure[] = [];
  /** How often the code of each function ran. */
  readonly runs = new Map<string, number>();
  private readonly keys = new Set<string>();
  private readonly attempts = new Map<string, number>();

  write(node: string, identity: string, key: string, value: number): void {
    if (this.keys.has(key)) return;
    this.keys.add(key);
    this.rows.push({ node, record: recordOf(identity), key, value });
  }

  /** What a resource says about a record: all that was written through it for that record. Of no record there is nothing to say. */
  look(writers: ReadonlySet<string>, { identity }: Subject): number {
    const record = identity === undefined ? undefined : recordOf(identity);
    return digest(this.rows.filter((row) => row.record === record && writers.has(row.node)).map(({ node, value }) => `${node}${value}`));
  }

  /** Throws when the behaviour says that this call fails. */
  stumble(node: string, { identity, reads }: Subject, { fails, stumbles }: Behaviour): void {
    this.runs.set(node, (this.runs.get(node) ?? 0) + 1);
    if (identity !== undefined) this.failForNow(node, identity, stumbles);
    if (digest([node, 'fails', identity ?? (reads as Json)]) % 100 >= fails) return;
    if (identity !== undefined) this.failures.push({ node, record: recordOf(identity) });
    throw new TerminalError('BAD_INPUT', `${node} cannot take ${identity ?? JSON.stringify(reads)}`);
  }

  /** Never a blind call: records that it cannot tell apart would share their attempts, and which of them dies would hang on their order. */
  private failForNow(node: string, identity: string, stumbles: number): void {
    const attempts = this.attempts.get(`${node} ${identity}`) ?? 0;
    this.attempts.set(`${node} ${identity}`, attempts + 1);
    if (attempts < stumbles) throw new Error(`attempt ${attempts}`);
  }
}

/** The record that a child belongs to: identities are `7` and `7/0/3`. */
export function recordOf(identity: string): string {
  return identity.split('/')[0] ?? '';
}

/** A number from what a function reads, and so from all that leads to it. */
export function answer(node: string, field: string, reads: Fields): number {
  return digest([node, field, reads as Json]);
}

/** FNV-1a over JSON. */
export function digest(value: Json): number {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(value)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}
