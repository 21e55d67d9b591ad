/** A whole proposal for the example, from what was metered of it as written to versions with certificates: gathering, fitting, searching, as a user asks for it. */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type OptimizationDetail } from '@autoflow/client';
import { createControlPlane } from '@autoflow/control-plane';
import { invoices } from './cells/invoices.js';
import { inboxDoor, METERED_WITHIN_MS, underLoad } from './cells/load.js';
import { startRetailStack } from './cells/retail-stack.js';
import { constantLoad } from './headline/cell.js';
import { throughput } from './live.js';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

const WARM_UP = 40;
const BURST = 80;
/** Of what the pipeline as written does out of a backlog. */
const SHARE = 0.6;
const DRAIN_MS = 60_000;
const POLL_MS = 100;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const [seconds, repetitions] = quick ? [60, 1] : [150, 5];
  const { platform, stop } = await startRetailStack({ onFile: false });
  let controlPlane: Awaited<ReturnType<typeof createControlPlane>> | undefined;
  try {
    controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
    const pipeline = platform.spec.name;
    const api = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('benchmark', 'admin') });
    const program = createRequire(import.meta.url).resolve('@autoflow/learning/optimizer');
    await platform.startWorker({ optimizer: { program } }, ['workflows', 'functions', 'feeder', 'control']);
    const load = await invoices(platform.spec);
    await throughput(platform, Array.from({ length: WARM_UP }, load.next));
    const ratePerSecond = SHARE * (await throughput(platform, Array.from({ length: BURST }, load.next)));
    progress(`as written, ${ratePerSecond.toFixed(1)} records/s for ${seconds} s`);
    const { scope } = await underLoad({
      platform,
      trace: constantLoad(ratePerSecond, seconds),
      seed: 1,
      warmUpMs: 0,
      drainMs: DRAIN_MS,
      records: load.next,
      door: (run) => inboxDoor(platform, run),
    });
    await delay(METERED_WITHIN_MS);
    const proposals: { readonly seconds: number; readonly optimization: OptimizationDetail }[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const startedAt = performance.now();
      const { id } = await api.optimizations.start(pipeline, { dryRun: true, scope, since: '1h', reason: 'benchmark' });
      let optimization = await api.optimizations.show(pipeline, id);
      for (; optimization.state === 'running'; optimization = await api.optimizations.show(pipeline, id)) await delay(POLL_MS);
      const took = (performance.now() - startedAt) / 1000;
      proposals.push({ seconds: took, optimization });
      progress(`${took.toFixed(1)} s: ${optimization.decisions.at(-1)?.reason ?? optimization.state}`);
    }
    const found = proposals.filter(({ optimization }) => optimization.found?.proposal !== undefined).length;
    return {
      bars: [
        { name: 'whole proposal from metrics', figure: median(proposals.map(({ seconds }) => seconds)), unit: 's', bar: 60, must: '<=' },
        { name: 'runs that ended with a proposal', figure: found / repetitions, unit: 'of 1', bar: 1, must: '>=' },
      ],
      figures: {
        ratePerSecond,
        loadSeconds: seconds,
        proposals: proposals.map(({ seconds, optimization: { decisions, found } }) => ({ seconds, decisions, found })),
      },
      notMeasured: ['training of allocations, which is no part of a dry run'],
    };
  } finally {
    await controlPlane?.close();
    await stop();
  }
}
