/** What is measured of one arm of the traffic in one block of time. */

/**
 * Which records of an arm are slow: those later than that quantile of the arm that is compared with, over the whole time; of a candidate, later than that
 * times what the named guardrail allows. Beyond the first quantile of a guardrail are as few records as its name says, beyond the others three, six and
 * ten times as many: by these a candidate that is far better is told.
 */
export const SLOW = {
  slow95: { quantile: 0.95, guardrail: 'p95' },
  slow85: { quantile: 0.85, guardrail: 'p95' },
  slow70: { quantile: 0.7, guardrail: 'p95' },
  slow50: { quantile: 0.5, guardrail: 'p95' },
  slow99: { quantile: 0.99, guardrail: 'p99' },
  slow97: { quantile: 0.97, guardrail: 'p99' },
  slow94: { quantile: 0.94, guardrail: 'p99' },
  slow90: { quantile: 0.9, guardrail: 'p99' },
} as const;
export type Slow = keyof typeof SLOW;
export const SLOWS = Object.keys(SLOW) as Slow[];

/** How many records of an arm are slow, by each quantile: counts, right to the width of a bucket of latencies, 1.6 %. */
export type SlowRecords = { readonly [slow in Slow]: number };
/** One number for each of them. */
export function perSlow(of: (slow: Slow) => number): SlowRecords {
  const records = { ...NONE_SLOW };
  for (const slow of SLOWS) records[slow] = of(slow);
  return records;
}
const NONE_SLOW = Object.fromEntries(SLOWS.map((slow) => [slow, 0])) as { [slow in Slow]: number };

/**
 * Records are those that arrived within the block, whatever became of them; what is charged is of the batches that were closed within it. Where closed
 * blocks are kept (a canary), a record that takes longer than five minutes belongs to the block of its end instead, or to the last one while it runs.
 */
export interface ArmCell extends SlowRecords {
  readonly records: number;
  /** Of these, without an outcome yet. */
  readonly running: number;
  readonly dead: number;
  /** Records that had to be dispatched again; a batch's are spread over its records. */
  readonly errors: number;
  readonly filtered: number;
  /** Sum of milliseconds from arrival to outcome; of a record without one, to now. */
  readonly latencyMs: number;
  /** Batches that were closed, their records, and what they cost in US dollars, Temporal actions included. */
  readonly executions: number;
  readonly charged: number;
  readonly costUsd: number;
}

export const EMPTY_ARM_CELL: ArmCell = {
  records: 0,
  running: 0,
  dead: 0,
  errors: 0,
  filtered: 0,
  latencyMs: 0,
  ...NONE_SLOW,
  executions: 0,
  charged: 0,
  costUsd: 0,
};
