/** Arms side by side, over blocks of time. */
import type { ArmCell } from '@autoflow/topology';
import type { Arm } from './arms.model.js';

export type ComparedArm = Exclude<Arm, 'pinned'>;

export interface ArmBlock {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ours: ArmCell;
  readonly theirs: ArmCell;
}
export interface ComparisonQuery {
  readonly pipeline: string;
  /** Versions tell what ran as stable before and after a move of the pointer. Absent: whatever the arm ran. */
  readonly ours: { readonly arm: ComparedArm; readonly version?: string };
  readonly theirs: { readonly arm: ComparedArm; readonly version?: string };
  /** Milliseconds since the epoch by the clock of the database; `to` is excluded, and cut to whole blocks. */
  readonly from: number;
  readonly to: number;
  readonly blockMs: number;
  /** Factors by which our records may exceed the quantiles of theirs, to a hundredth; default 1. */
  readonly slower?: { readonly p95: number; readonly p99: number };
  /** Records that still wait count as the arm's by the buckets it has now. */
  readonly waiting?: boolean;
  /**
   * Of a comparison that is made again and again: blocks that are closed are kept under this name and read from there, so that it takes no longer the
   * older it gets. A block is closed `LATE_MS + SETTLING_MS` after its end. What takes longer than `LATE_MS` counts as running in the last block, and
   * when it has ended in the block of its end, if the step lasts until then.
   */
  readonly kept?: { readonly rollout: string; readonly step: number };
  /** It may take longer than other statements: nobody waits for it. */
  readonly patient?: boolean;
}
/** Records that take longer do not belong to the block in which they arrived. */
export const LATE_MS = 300_000;
/** Then transactions have ended, and hosts have written what they measured. */
export const SETTLING_MS = 60_000;
/** Of a batch that has been closed for so long it is known what it cost: hosts write what they measured once a second. */
export const MEASURED_MS = 10_000;
export interface ArmTotals {
  readonly records: number;
  readonly dead: number;
  readonly costUsd: number;
}

/** What came in one block of time, whatever it ran on; of the batches that were opened in it. */
export interface WorkloadRow {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly records: number;
  /** Of the input. */
  readonly bytes: number;
  /** Records with an outcome, and those of them that were filtered. */
  readonly settled: number;
  readonly filtered: number;
}

export interface ComparisonStore {
  /** Milliseconds since the epoch, by the clock that everything here is measured with. */
  clock(): Promise<number>;
  /** In order of time; also blocks in which neither arm had anything are left out. */
  blocks(query: ComparisonQuery): Promise<ArmBlock[]>;
  /** In order of time, without blocks in which nothing came. Backfills are no workload of the pipeline. */
  workload(query: { pipeline: string; from: number; to: number; blockMs: number }): Promise<WorkloadRow[]>;
  /**
   * Per arm, of the batches opened in a window; of one that is open, what it has cost so far. Of a rollout, what was settled by the last time is kept
   * in its row, and only later batches are read; what a control ran on its version is the candidate's.
   */
  totals(pipeline: string, from: number, to: number, rollout?: string): Promise<{ readonly [arm in ComparedArm]?: ArmTotals }>;
  /** Records of the batches that were opened in a window for an arm, whichever, on the version; of one that is open, those admitted. */
  recordsOn(query: { pipeline: string; version: string; from: number; to: number }): Promise<number>;
  /** Whether every batch opened in a window has been closed for `MEASURED_MS`: its totals are what they stay. */
  settled(pipeline: string, from: number, to: number): Promise<boolean>;
}
