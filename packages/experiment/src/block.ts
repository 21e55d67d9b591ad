/** What is measured of a canary. */

/** Of one arm: the records that arrived within one block of time, whatever became of them, and the batches that were closed within it. */
export interface Cell {
  readonly records: number;
  /** Of these, without an outcome yet. */
  readonly running: number;
  readonly dead: number;
  /** Records that had to be dispatched again. */
  readonly errors: number;
  readonly filtered: number;
  /** Sum of milliseconds from arrival to outcome; of a record without one, to now. */
  readonly latencyMs: number;
  /** Records slower than the control's p95 (p99); of the candidate, than that times what its guardrail allows. */
  readonly slow95: number;
  readonly slow99: number;
  /** Records of the batches that were closed, and what these cost, Temporal actions included. */
  readonly charged: number;
  readonly costUsd: number;
}
export interface Block {
  readonly candidate: Cell;
  readonly control: Cell;
}

export const NOTHING: Cell = {
  records: 0,
  running: 0,
  dead: 0,
  errors: 0,
  filtered: 0,
  latencyMs: 0,
  slow95: 0,
  slow99: 0,
  charged: 0,
  costUsd: 0,
};

const NAMES = Object.keys(NOTHING) as (keyof Cell)[];

export function sumOf(blocks: readonly Block[], arm: keyof Block): Cell {
  const sum = { ...NOTHING } as { -readonly [name in keyof Cell]: number };
  for (const name of NAMES) for (const block of blocks) sum[name] += block[arm][name];
  return sum;
}

/** Those in which every record has its outcome: of the others it is not known who will die, and who is late is not like who is not. */
export function settled(blocks: readonly Block[]): Block[] {
  return blocks.filter(({ candidate, control }) => candidate.running + control.running === 0);
}
