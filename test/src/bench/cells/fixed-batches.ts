import { DEFAULT_BATCH_BYTES, type Topology } from '@autoflow/topology';

/** A larger batch is given longer to be filled: 10 ms a record, and no more than leaves time for the work within 2 s. */
export const fixedBatchLingerMs = (records: number): number => Math.min(800, Math.max(100, 10 * records));

/** Baseline 2 of evaluation.md: the pipeline as written in batches of one size. */
export function inBatchesOf(records: number, asWritten: Topology): Topology {
  return { ...asWritten, batch: { records, bytes: DEFAULT_BATCH_BYTES }, lingerMs: fixedBatchLingerMs(records) };
}
