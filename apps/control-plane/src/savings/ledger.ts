/** The savings ledger: each day of each version that a rollout made stable, against the holdout that it left behind. */
import { savings, type LedgerBlock } from '@autoflow/experiment';
import type { RolloutRow, Store } from '@autoflow/store';

const DAY_MS = 86_400_000;
/** Blocks of a whole day; shorter stretches get finer ones, down to a second. */
const BLOCKS_PER_DAY = 96;
const MOST_ROLLOUTS = 1_000;

interface Stretch {
  readonly version: string;
  readonly against: string;
  readonly from: number;
  readonly to: number;
}

export async function ledgerOf(store: Pick<Store, 'rollouts' | 'comparisons' | 'access'>, pipeline: string, from: number, to: number) {
  const rollouts = await store.rollouts.list(pipeline, { limit: MOST_ROLLOUTS });
  const moves = (await store.access.audit({ pipeline, action: 'stable.set', limit: MOST_ROLLOUTS })).map(({ at }) => at.getTime());
  const days = [];
  for (const stretch of rollouts.flatMap((row) => stretchesOf(row, moves, from, to))) {
    const { version, against } = stretch;
    const found = savings(await blocksOf(store, pipeline, stretch));
    if (found.records > 0) days.push({ version, against, day: dayOf(stretch.from), ...found });
  }
  const exploration = rollouts.flatMap(({ id, version, harm, endedAt }) =>
    harm !== undefined && endedAt !== undefined && endedAt.getTime() >= from && endedAt.getTime() < to
      ? [{ rollout: id, version, day: dayOf(endedAt.getTime()), extraUsd: harm.extraUsd }]
      : [],
  );
  const savedUsd = days.reduce((sum, day) => sum + (day.savedUsd?.estimate ?? 0), 0);
  const explorationUsd = exploration.reduce((sum, { extraUsd }) => sum + extraUsd, 0);
  return {
    days: days.sort((a, b) => (a.day < b.day ? -1 : 1)),
    exploration,
    total: { savedUsd, explorationUsd, netUsd: savedUsd - explorationUsd },
  };
}

/** The days (UTC) on which it was stable: from its promotion to the next move of the pointer. */
function stretchesOf({ state, version, baseline, endedAt }: RolloutRow, moves: readonly number[], from: number, to: number): Stretch[] {
  if (state !== 'promoted' || endedAt === undefined) return [];
  const promoted = endedAt.getTime();
  const end = Math.min(to, ...moves.filter((at) => at > promoted));
  const stretches: Stretch[] = [];
  for (let start = Math.max(from, promoted); start < end;) {
    const midnight = (Math.floor(start / DAY_MS) + 1) * DAY_MS;
    stretches.push({ version, against: baseline, from: start, to: Math.min(end, midnight) });
    start = midnight;
  }
  return stretches;
}

async function blocksOf(
  { comparisons }: Pick<Store, 'comparisons'>,
  pipeline: string,
  { version, against, from, to }: Stretch,
): Promise<LedgerBlock[]> {
  const blockMs = Math.max(1_000, Math.floor((to - from) / BLOCKS_PER_DAY));
  const blocks = await comparisons.blocks({
    pipeline,
    ours: { arm: 'stable', version },
    theirs: { arm: 'holdout', version: against },
    ...{ from, to, blockMs },
  });
  return blocks.map(({ ours, theirs }) => ({ stable: ours, holdout: theirs }));
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
