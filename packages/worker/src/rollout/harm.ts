import type { RolloutHarm, RolloutRow, Store } from '@autoflow/store';
import { SPEND_CAP_DAYS } from '@autoflow/topology/autonomy';

/** What the candidate did so far; undefined before its first traffic. Compared with the control group, or else with the holdout or the stable version. */
export async function harmOf(
  { id, pipeline, steps, endedAt }: Pick<RolloutRow, 'id' | 'pipeline' | 'steps' | 'endedAt'>,
  { comparisons }: Pick<Store, 'comparisons'>,
): Promise<RolloutHarm | undefined> {
  const [first] = steps;
  if (first === undefined) return undefined;
  const totals = await comparisons.totals(pipeline, first.from, endedAt?.getTime() ?? (await comparisons.clock()), id);
  const { candidate } = totals;
  const all = Object.values(totals).reduce((sum, { records }) => sum + records, 0);
  if (candidate === undefined) return { records: 0, share: 0, dead: 0, costUsd: 0, extraUsd: 0 };
  const baseline = [totals.control, totals.holdout, totals.stable].find((arm) => arm !== undefined && arm.records > 0);
  const { records, dead, costUsd } = candidate;
  const usual = baseline === undefined ? costUsd : (records * baseline.costUsd) / baseline.records;
  return { records, share: all === 0 ? 0 : records / all, dead, costUsd, extraUsd: costUsd - usual };
}

type Ports = Pick<Store, 'rollouts' | 'comparisons'>;

/**
 * US dollars that AutoFlow's own canaries cost beyond what they were compared with, in the days that a spend cap is for. Of one that has ended and is not
 * charged yet, what it has cost so far.
 */
export async function exploredUsd(pipeline: string, store: Ports): Promise<number> {
  // Before what is charged: one that is charged in between counts twice for a moment, and not at all would be worse.
  const uncharged = (await store.rollouts.uncharged()).filter((row) => row.pipeline === pipeline && row.own);
  let usd = 0;
  for (const row of uncharged) usd += Math.max(0, (await harmOf(row, store))?.extraUsd ?? 0);
  return usd + (await store.rollouts.explored(pipeline, new Date(Date.now() - SPEND_CAP_DAYS * 86_400_000)));
}

/** What is open for so long after the end of a canary counts with what it has come to by then. */
const CHARGED_WITHIN_MS = 3_600_000;

/**
 * Writes down what an ended rollout did, once: as soon as nothing that any arm opened meanwhile is open, and hosts have written what it cost. Until then, and
 * for an hour at most, it does nothing: whoever calls it asks again.
 */
export async function charge(row: RolloutRow, store: Ports): Promise<void> {
  const [first] = row.steps;
  if (first === undefined || row.endedAt === undefined || row.harm !== undefined) return;
  const end = row.endedAt.getTime();
  const late = (await store.comparisons.clock()) - end >= CHARGED_WITHIN_MS;
  if (!late && !(await store.comparisons.settled(row.pipeline, first.from, end))) return;
  const harm = await harmOf(row, store);
  if (harm !== undefined) await store.rollouts.charge(row.id, harm);
}
