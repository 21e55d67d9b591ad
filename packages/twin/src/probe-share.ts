import type { Topology } from '@autoflow/topology';
import type { MeteredInvocation } from './fit/rows.js';

/**
 * Of the batches that the feeder made of live records for a version of single records, the probes that found others waiting: they carry several times
 * their share of the records. Backfills in batches are not counted. Of a version of batches it is taken as 0: its probes carry next to none.
 */
export function probeShareOf(rows: readonly MeteredInvocation[], version: string, { stages, batch }: Topology): number {
  if (batch.records > 1) return 0;
  const first = stages.find(({ after }) => after.length === 0)!.name;
  const own = rows.filter((row) => row.version === version && row.stage === first && row.calibration === undefined);
  const probes = own.filter(({ probe, recordsIn }) => probe === true && recordsIn > 1).length;
  const singles = own.filter(({ recordsIn }) => recordsIn === 1).length;
  return probes === 0 ? 0 : probes / (probes + singles);
}
