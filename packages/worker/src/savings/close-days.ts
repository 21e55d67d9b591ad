/** Days of the savings ledger that are over are written down, before the rows that tell of them are dropped. */
import { comparisonOf, midnight, savedIn, stretches, stretchName } from '@autoflow/experiment';
import type { Store } from '@autoflow/store';
import type { Log } from '../log.js';

/** Then what arrived at its end has its outcome. */
const OVER_MS = 3_600_000;
const MOST = 1_000;

type Stores = Pick<Store, 'metering' | 'definitions' | 'rollouts' | 'access' | 'comparisons' | 'savings'>;

/**
 * Any number of processes may do it: a day is written once. Days whose measurements are gone already are left alone. A pipeline that fails is logged
 * and keeps no other one waiting; answers which failed: while there are any, measurements of days that are over are still needed.
 */
export async function closeDays(store: Stores, log: Log): Promise<string[]> {
  const [now, days] = [await store.comparisons.clock(), await store.metering.days()];
  const failed: string[] = [];
  for (const { name } of await store.definitions.pipelines()) {
    try {
      await closeDaysOf(store, name, days.map(Date.parse), now);
    } catch (error) {
      log('warn', 'days of the savings ledger were not written down and are tried again', { pipeline: name, error: String(error) });
      failed.push(name);
    }
  }
  return failed;
}

async function closeDaysOf(
  { rollouts, access, comparisons, savings }: Stores,
  pipeline: string,
  days: readonly number[],
  now: number,
): Promise<void> {
  const oldest = Math.min(now, ...days);
  const kept = new Set((await savings.days(pipeline, oldest, now)).map(stretchName));
  const moves = await access.audit({ pipeline, action: 'stable.set', limit: MOST });
  for (const stretch of stretches(await rollouts.list(pipeline, { limit: MOST }), moves, oldest, now)) {
    if (!days.includes(midnight(stretch.from)) || stretch.to > now - OVER_MS || kept.has(stretchName(stretch))) continue;
    const blocks = await comparisons.blocks({ pipeline, ...comparisonOf(stretch), patient: true });
    const records = await comparisons.recordsOn({ pipeline, ...stretch });
    await savings.keep({ pipeline, ...stretch, savings: savedIn(blocks, records) });
  }
}
