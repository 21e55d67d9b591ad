import { drift, DRIFT, type Drift, type WorkloadBlock } from '@autoflow/experiment';
import type { DecisionRow, Store, WorkloadRow } from '@autoflow/store';

/** Between two looks; `DRIFT.looks` of them are a month. */
export const LOOK_EVERY_MS = (30 * 86_400_000) / DRIFT.looks;
const BLOCK_MS = 600_000;
/** Blocks of a day. */
const DAY = 86_400_000 / BLOCK_MS;
const HOUR_MS = 3_600_000;

/**
 * In what the last day, or what there is of it since the decision, is not like the day that ended with the decision, and since when. Only the same hours
 * are compared: of hours in which nothing had come before the decision yet, as of a pipeline that is younger than a day, nothing is said, and the
 * reasons say how many have been compared. Nothing before there are two. Within the band, at most one decision in a hundred is said to have drifted in a month.
 */
export async function driftSince(
  { pipeline, at }: Pick<DecisionRow, 'pipeline' | 'at'>,
  { comparisons }: Pick<Store, 'comparisons'>,
  until?: Date,
): Promise<Pick<Drift, 'reasons'> & { readonly since?: Date }> {
  const [now, decided] = [until?.getTime() ?? (await comparisons.clock()), at.getTime()];
  const whole = Math.floor((now - decided) / BLOCK_MS);
  if (whole < DRIFT.minimumBlocks) return { reasons: [] };
  const rowsOf = async (from: number, blocks: number): Promise<Map<number, WorkloadRow>> => {
    const start = decided + from * BLOCK_MS;
    const rows = await comparisons.workload({ pipeline, from: start, to: start + blocks * BLOCK_MS, blockMs: BLOCK_MS });
    return new Map(rows.map((row) => [Math.round((row.at - start) / BLOCK_MS), row]));
  };
  const from = Math.max(0, whole - DAY);
  const [before, since] = await Promise.all([rowsOf(-DAY, DAY), rowsOf(from, whole - from)]);
  const first = Math.min(...before.keys());
  const compared = Array.from({ length: whole - from }, (_, i) => ({ i, then: (from + i) % DAY })).filter(({ then }) => then >= first);
  const found = drift(compared.map(({ i, then }) => ({ then: featuresOf(before.get(then)), now: featuresOf(since.get(i)) })));
  if (found.since === undefined) return { reasons: [] };
  // `since` is behind the last pair where that is the least of all.
  const began = compared[Math.min(found.since, compared.length - 1)]!.i;
  const hours = ((compared.length * BLOCK_MS) / HOUR_MS).toFixed(1);
  return {
    reasons: found.reasons.map((reason) => `${reason}, in ${hours} hours of the last day beside the same ones before the decision`),
    since: new Date(decided + (from + began) * BLOCK_MS),
  };
}

/** A block in which nothing came is a block with a rate of nothing. */
function featuresOf(row: WorkloadRow | undefined): WorkloadBlock {
  if (row === undefined) return { rate: { sum: 0, count: 1 } };
  const { records, bytes, settled, filtered } = row;
  return {
    rate: { sum: records, count: 1 },
    'bytes per record': { sum: bytes, count: records },
    ...(settled > 0 && { 'share that is filtered': { sum: filtered, count: settled } }),
  };
}
