/** Days of the savings ledger that are over are written down, before the rows that tell of them are dropped. */
import { comparisonOf, midnight, savedIn, stretches, stretchName } from '@autoflow/experiment';
import type { Store } from '@autoflow/store';

const DAY_MS = 86_400_000;
/** Then what arrived at its end has its outcome. */
const OVER_MS = 3_600_000;
const MOST = 1_000;

type Stores = Pick<Store, 'definitions' | 'rollouts' | 'access' | 'comparisons' | 'savings'>;

/** Any number of processes may do it: a day is written once. Days whose rows may be gone already, after `retentionDays`, are left alone. */
export async function closeDays(store: Stores, retentionDays: number): Promise<void> {
  const now = await store.comparisons.clock();
  const oldest = midnight(now - retentionDays * DAY_MS);
  for (const { name } of await store.definitions.pipelines()) await closeDaysOf(store, name, oldest, now);
}

async function closeDaysOf(
  { rollouts, access, comparisons, savings }: Stores,
  pipeline: string,
  oldest: number,
  now: number,
): Promise<void> {
  const kept = new Set((await savings.days(pipeline, oldest, now)).map(stretchName));
  const moves = await access.audit({ pipeline, action: 'stable.set', limit: MOST });
  for (const stretch of stretches(await rollouts.list(pipeline, { limit: MOST }), moves, oldest, now)) {
    if (stretch.to > now - OVER_MS || kept.has(stretchName(stretch))) continue;
    const blocks = await comparisons.blocks({ pipeline, ...comparisonOf(stretch), patient: true });
    await savings.keep({ pipeline, ...stretch, savings: savedIn(blocks) });
  }
}
