/** What is measured of one arm of the traffic in one block of time. */

/**
 * Records are those that arrived within the block, whatever became of them; what is charged is of the batches that were closed within it. Where closed
 * blocks are kept (a canary), a record that takes longer than five minutes belongs to the block of its end instead, or to the last one while it runs.
 */
export interface ArmCell {
  readonly records: number;
  /** Of these, without an outcome yet. */
  readonly running: number;
  readonly dead: number;
  /** Records that had to be dispatched again; a batch's are spread over its records. */
  readonly errors: number;
  readonly filtered: number;
  /** Sum of milliseconds from arrival to outcome; of a record without one, to now. */
  readonly latencyMs: number;
  /**
   * Records slower than the p95 (p99) of the arm that is compared with, of the whole time; of a candidate, than that times what its guardrail allows.
   * Right to the width of a bucket of latencies, 1.6 %.
   */
  readonly slow95: number;
  readonly slow99: number;
  /** The same of its median, by what the guardrail of p95 allows, and of its p90, by what that of p99 does: by these one that is far better is told. */
  readonly slow50: number;
  readonly slow90: number;
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
  slow95: 0,
  slow99: 0,
  slow50: 0,
  slow90: 0,
  executions: 0,
  charged: 0,
  costUsd: 0,
};
