import type { Topology } from '@autoflow/topology';
import type { MeteredInvocation } from './fit/rows.js';

/**
 * Of the batches that a version of single records ran in, those with more: probes that found others waiting. They carry several times their share
 * of the records. Of a version of batches it is taken as 0: its probes carry next to none.
 */
export function probeShareOf(rows: readonly MeteredInvocation[], version: string, { stages, batch }: Topology): number {
  if (batch.records > 1) return 0;
  const first = stages.find(({ after }) => after.length === 0)!.name;
  const batches = rows.filter((row) => row.version === version && row.stage === first && row.calibration === undefined);
  return batches.length === 0 ? 0 : batches.filter(({ recordsIn }) => recordsIn > 1).length / batches.length;
}
