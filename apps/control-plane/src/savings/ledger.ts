/** The savings ledger: each day of each version that a rollout made stable, against the holdout that it left behind. */
import { comparisonOf, midnight, restoredSavings, savedIn, stretches, stretchName, type Savings, type Stretch } from '@autoflow/experiment';
import type { Store } from '@autoflow/store';

const MOST_ROLLOUTS = 1_000;

/** Of whole days (UTC), from the one that `from` is in. Those that are over are read as they were written down, the others from their rows. */
export async function ledgerOf(
  store: Pick<Store, 'rollouts' | 'comparisons' | 'access' | 'savings'>,
  pipeline: string,
  since: number,
  to: number,
) {
  const from = midnight(since);
  const rollouts = await store.rollouts.list(pipeline, { limit: MOST_ROLLOUTS });
  const moves = await store.access.audit({ pipeline, action: 'stable.set', limit: MOST_ROLLOUTS });
  const kept = await store.savings.days(pipeline, from, to);
  const all: { readonly stretch: Stretch; readonly found: Savings }[] = kept.map(({ savings, ...stretch }) => ({
    stretch,
    found: restoredSavings(savings),
  }));
  const known = new Set(kept.map(stretchName));
  for (const stretch of stretches(rollouts, moves, from, to)) {
    if (known.has(stretchName(stretch))) continue;
    all.push({ stretch, found: savedIn(await store.comparisons.blocks({ pipeline, ...comparisonOf(stretch) })) });
  }
  const days = all
    .filter(({ found }) => found.records > 0)
    .sort((a, b) => a.stretch.from - b.stretch.from)
    .map(({ stretch: { version, against, from: began }, found }) => ({ version, against, day: dayOf(began), ...found }));
  const exploration = rollouts.flatMap(({ id, version, harm, endedAt }) =>
    harm !== undefined && endedAt !== undefined && endedAt.getTime() >= from && endedAt.getTime() < to
      ? [{ rollout: id, version, day: dayOf(endedAt.getTime()), extraUsd: harm.extraUsd }]
      : [],
  );
  const savedUsd = days.reduce((sum, day) => sum + (day.savedUsd?.estimate ?? 0), 0);
  const explorationUsd = exploration.reduce((sum, { extraUsd }) => sum + extraUsd, 0);
  return { from: new Date(from), days, exploration, total: { savedUsd, explorationUsd, netUsd: savedUsd - explorationUsd } };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
