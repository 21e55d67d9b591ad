import { grouped } from './grouped.js';
import type { MeteredInvocation } from './rows.js';

/** Mean bytes of a record as it comes: what the first stage of each execution read. 0 without rows. */
export function recordBytesOf(rows: readonly MeteredInvocation[]): number {
  const read = [...grouped(rows, ({ executionId }) => executionId).values()].map(readFirst);
  const records = read.reduce((sum, each) => sum + each.records, 0);
  return records === 0 ? 0 : read.reduce((sum, each) => sum + each.bytes, 0) / records;
}

/** Each part of a stage reads the whole file of the batch, and counts its own records. */
function readFirst(execution: readonly MeteredInvocation[]): { readonly bytes: number; readonly records: number } {
  const { stage } = execution.reduce((a, b) => (b.startedAt < a.startedAt ? b : a));
  const parts = execution.filter((row) => row.stage === stage);
  return { bytes: Math.max(...parts.map(({ bytesIn }) => bytesIn)), records: parts.reduce((sum, { recordsIn }) => sum + recordsIn, 0) };
}
