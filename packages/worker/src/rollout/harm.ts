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

/** US dollars that AutoFlow's own canaries cost beyond what they were compared with, in the days that a spend cap is for. */
export function exploredUsd(pipeline: string, { rollouts }: { readonly rollouts: Pick<Store['rollouts'], 'explored'> }): Promise<number> {
  return rollouts.explored(pipeline, new Date(Date.now() - SPEND_CAP_DAYS * 86_400_000));
}

/** Writes it down, once it has ended. */
export async function charge(row: RolloutRow, store: Pick<Store, 'rollouts' | 'comparisons'>): Promise<void> {
  if (row.endedAt === undefined || row.harm !== undefined) return;
  const harm = await harmOf(row, store);
  if (harm !== undefined) await store.rollouts.charge(row.id, harm);
}
