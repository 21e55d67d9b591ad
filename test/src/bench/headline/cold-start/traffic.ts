import { inboxDoor, underLoad, type Loaded } from '../../cells/load.js';
import { runThrough } from '../../live.js';
import { constantLoad } from '../cell.js';
import type { Cold } from './cold.js';

const WARM_UP = 40;
const BURST = 80;
const LONGEST_S = 6 * 3_600;

/** A share of what the pipeline as written does out of a backlog. */
export async function rateFor({ platform, conditions, load }: Cold): Promise<number> {
  const some = (count: number, mark: string) =>
    Array.from({ length: count }, (_, i) => ({ ...load.next(), [platform.spec.key]: `${mark}-${i}` }));
  await runThrough(platform, some(WARM_UP, 'warm'));
  const { perSecond } = await runThrough(platform, some(BURST, 'burst'));
  return Number((conditions.coldStart.share * perSecond).toPrecision(3));
}

/** Until it is stopped. */
export function startTraffic({ platform, load }: Cold, rate: number): { scope(): string; stop(): Promise<Loaded> } {
  const over = new AbortController();
  let scope = '';
  const loaded = underLoad({
    platform,
    trace: constantLoad(rate, LONGEST_S),
    seed: 1,
    warmUpMs: 0,
    drainMs: 30_000,
    records: load.next,
    door: (run) => inboxDoor(platform, { scope: (scope = run.scope) }),
    signal: over.signal,
  });
  loaded.catch(() => {});
  return {
    scope: () => scope,
    stop: () => {
      over.abort();
      return loaded;
    },
  };
}
