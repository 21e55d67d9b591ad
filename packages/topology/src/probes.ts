/** Of the batches that a feeder opens. */
export const PROBE_SHARE = 0.05;

/** Of a version of single records, where so many wait. */
const RECORDS = 8;

/**
 * How many records a probe takes at most, of a version whose batches have `batchRecords`: another number than these, or what a batch costs could
 * not be told from what a record costs.
 */
export function probeRecords(batchRecords: number): number {
  return batchRecords > 1 ? 1 : RECORDS;
}
