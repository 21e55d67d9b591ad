import { inboxDoor, underLoad, type Loaded } from '../../cells/load.js';
import { runThrough } from '../../live.js';
import type { Trace } from '@autoflow/twin';
import { constantLoad } from '../cell.js';
import { varyingLoads } from '../varying.js';
import type { Cold } from './cold.js';

const WARM_UP = 40;
const BURST = 80;
const LONGEST_S = 6 * 3_600;

/** A share of what the pipeline as written does out of a backlog. */
export async function rateFor({ platform, conditions, load, asked }: Cold): Promise<number> {
  const some = (count: number, mark: string) =>
    Array.from({ length: count }, (_, i) => ({ ...load.next(), [platform.spec.key]: `${mark}-${i}` }));
  await runThrough(platform, some(WARM_UP, 'warm'));
  const { perSecond } = await runThrough(platform, some(BURST, 'burst'));
  const { share, varyingShare } = conditions.coldStart;
  return Number(((asked.before === undefined ? share : varyingShare) * perSecond).toPrecision(3));
}

/** At that mean rate, for longer than any cold start takes. */
export async function traceAt(rate: number, { conditions, load, asked: { before } }: Cold): Promise<Trace> {
  if (before === undefined) return constantLoad(rate, LONGEST_S);
  const { traceSeconds: seconds } = conditions;
  const loads = await varyingLoads({ seconds, rate, invoices: load.all, dataFolder: process.env['AUTOFLOW_DATA'] });
  return loads.find(({ name }) => name === before)!.beforeAgain(LONGEST_S * 1000);
}

/** Until it is stopped. */
export function startTraffic({ platform, load }: Cold, trace: Trace): { scope(): string; stop(): Promise<Loaded> } {
  const over = new AbortController();
  let scope = '';
  const loaded = underLoad({
    platform,
    trace,
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
