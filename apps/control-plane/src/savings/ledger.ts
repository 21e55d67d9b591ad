/** The savings ledger: each day of each version that a rollout made stable, against the holdout that it left behind; what it took to find it is charged. */
import {
  comparisonOf,
  midnight,
  restoredSavings,
  savedIn,
  savedTogether,
  stretches,
  stretchName,
  type Savings,
  type Stretch,
} from '@autoflow/experiment';
import type { Store } from '@autoflow/store';

/** Rollouts, moves of the pointer and optimizations, the newest. */
const MOST = 1_000;

/** Of whole days (UTC), from the one that `from` is in. Those that are over are read as they were written down, the others from their rows. */
export async function ledgerOf(
  store: Pick<Store, 'rollouts' | 'comparisons' | 'access' | 'savings' | 'optimizations'>,
  pipeline: string,
  since: number,
  to: number,
) {
  const from = midnight(since);
  const rollouts = await store.rollouts.list(pipeline, { limit: MOST });
  const moves = await store.access.audit({ pipeline, action: 'stable.set', limit: MOST });
  const kept = await store.savings.days(pipeline, from, to);
  const all: { readonly stretch: Stretch; readonly found: Savings }[] = kept.map(({ savings, ...stretch }) => ({
    stretch,
    found: restoredSavings(savings),
  }));
  const known = new Set(kept.map(stretchName));
  for (const stretch of stretches(rollouts, moves, from, to)) {
    if (known.has(stretchName(stretch))) continue;
    const blocks = await store.comparisons.blocks({ pipeline, ...comparisonOf(stretch) });
    all.push({ stretch, found: savedIn(blocks, await store.comparisons.recordsOn({ pipeline, ...stretch })) });
  }
  const days = all
    .filter(({ found }) => found.records > 0)
    .sort((a, b) => a.stretch.from - b.stretch.from)
    .map(({ stretch: { version, against, from: began }, found }) => ({ version, against, day: dayOf(began), ...found }));
  const isIn = (endedAt: Date | undefined): endedAt is Date => endedAt !== undefined && endedAt.getTime() >= from && endedAt.getTime() < to;
  const exploration = rollouts.flatMap(({ id, version, harm, endedAt }) =>
    harm !== undefined && isIn(endedAt) ? [{ rollout: id, version, day: dayOf(endedAt.getTime()), extraUsd: harm.extraUsd }] : [],
  );
  const optimizations = (await store.optimizations.page(pipeline, { limit: MOST })).flatMap(({ id, decisions, endedAt }) => {
    const usd = decisions.reduce((sum, decision) => sum + (decision.usd ?? 0), 0);
    return isIn(endedAt) && usd > 0 ? [{ optimization: id, day: dayOf(endedAt.getTime()), usd }] : [];
  });
  return { from: new Date(from), days, exploration, optimizations, total: totalOf(days, exploration, optimizations) };
}

function totalOf(
  days: readonly Savings[],
  exploration: readonly { readonly extraUsd: number }[],
  optimizations: readonly { readonly usd: number }[],
) {
  const savedUsd = savedTogether(days);
  const explorationUsd = exploration.reduce((sum, { extraUsd }) => sum + extraUsd, 0);
  const optimizationUsd = optimizations.reduce((sum, { usd }) => sum + usd, 0);
  const less = (usd: number): number => usd - explorationUsd - optimizationUsd;
  const netUsd = { estimate: less(savedUsd.estimate), low: less(savedUsd.low), high: less(savedUsd.high) };
  return { savedUsd, explorationUsd, optimizationUsd, netUsd };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
