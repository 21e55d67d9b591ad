/**
 * What the function host adds to a handler: host → instance → host with a batch of 100 KB, the cold start of an instance,
 * and a hundred pools that come and go under load without stranding a task or leaving anything behind.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEFAULT_BATCH_BYTES, stageName } from '@autoflow/topology';
import type { InvocationRow } from '@autoflow/store';
import { childrenOf } from './cpu.js';
import type { BenchOptions } from './main.js';
import { saturate, startBenchPlatform, type BenchPlatform, type BenchVersion } from './platform.js';
import { trivialRecord } from './pipelines/trivial.js';
import type { BenchReport } from './report.js';
import { median, quantile } from './statistics.js';

const RECORDS_OF_100_KB = 49;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: false,
  });
  try {
    const nodes = platform.spec.nodes.map(({ id }) => id);
    const fused = await platform.version({
      stages: [{ name: stageName(nodes), nodes, after: [], partitions: 1 }],
      batch: { records: 100, bytes: DEFAULT_BATCH_BYTES },
      lingerMs: 0,
    });

    progress('warm invocations, one at a time');
    const warm = await measured(platform, fused, quick ? 60 : 300);
    const overhead = warm
      .filter(({ cold }) => !cold)
      .map(({ durationMs, spans }) => durationMs - spans.reduce((sum, { wallMs }) => sum + wallMs, 0));

    progress('cold starts, one at a time');
    const starts = (await measured(platform, fused, quick ? 15 : 50, { idleMs: 1 }))
      .filter(({ cold }) => cold)
      .map(({ coldStartMs }) => coldStartMs);

    progress('a hundred pools come and go under load');
    const pools = await hundredPools(platform, quick ? 2 : 4, progress);
    return {
      bars: [
        { name: 'host → instance → host over the handler, 100 KB, p50', figure: median(overhead), unit: 'ms', bar: 5, must: '<=' },
        { name: 'cold start of an instance, p50', figure: median(starts), unit: 'ms', bar: 250, must: '<=' },
        { name: 'tasks stranded while 100 pools came and went', figure: pools.stranded, unit: 'tasks', bar: 0, must: '<=' },
        { name: 'instances left behind', figure: pools.processesLeft, unit: 'processes', bar: 0, must: '<=' },
        {
          name: 'memory of the worker, last cycle ÷ first',
          figure: pools.residentMb.at(-1)! / pools.residentMb[0]!,
          unit: '×',
          bar: 1.15,
          must: '<=',
        },
      ],
      figures: {
        overheadMs: { p50: median(overhead), p95: quantile(overhead, 0.95), samples: overhead.length },
        coldStartMs: { p50: median(starts), p95: quantile(starts, 0.95), samples: starts.length },
        pools,
      },
      notMeasured: [
        'several instances that start at the same time',
        'memory of the Temporal server, which keeps about 0.5 MB for each queue name it has seen',
      ],
    };
  } finally {
    await platform.stop();
  }
}

/** Invocation rows of `count` executions, one after the other, on a worker of its own. */
async function measured(
  platform: BenchPlatform,
  version: BenchVersion,
  count: number,
  options: { idleMs?: number } = {},
): Promise<InvocationRow[]> {
  const worker = await platform.startWorker(options);
  for (let i = 0; i < count; i++) {
    const records = Array.from({ length: RECORDS_OF_100_KB }, (_, at) => trivialRecord(`${i}-${at}`));
    await platform.run(await platform.admit(version, records));
  }
  await worker.stop(); // flushes what was metered
  const rows = await platform.store.metrics.invocations({ pipeline: 'trivial', version: version.name, limit: count });
  return rows.filter(({ outcome }) => outcome === 'ok');
}

/** Each cycle makes 20 versions of 5 stages, loads all of them at once, and ends when the host has let go of every pool. */
async function hundredPools(platform: BenchPlatform, cycles: number, progress: (line: string) => void) {
  const worker = await platform.startWorker({ idleMs: 1000 });
  const residentMb: number[] = [];
  let stranded = 0;
  const slowest: number[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    const versions: BenchVersion[] = [];
    for (let i = 0; i < 20; i++)
      versions.push(
        await platform.version({ ...platform.asWritten.topology, batch: { records: 10 + cycle * 20 + i, bytes: DEFAULT_BATCH_BYTES } }),
      );
    const orders = versions.flatMap((version) => [version, version, version]);
    const admitted = [];
    for (const [i, version] of orders.entries()) admitted.push(await platform.admit(version, [trivialRecord(`${cycle}-${i}`)]));
    let worst = 0;
    await saturate(admitted, admitted.length, async (one) => {
      const started = performance.now();
      await platform.run(one).catch(() => void stranded++);
      worst = Math.max(worst, performance.now() - started);
    });
    slowest.push(worst);
    await untilPoolsAre(platform, 5);
    residentMb.push(residentMbOf(worker.pid));
    progress(
      `cycle ${cycle + 1} of ${cycles}: ${admitted.length} executions, slowest ${(worst / 1000).toFixed(1)} s, worker at ${residentMb.at(-1)!.toFixed(0)} MB`,
    );
  }
  const retries = (await platform.store.metrics.invocations({ pipeline: 'trivial', limit: 10_000 })).filter(
    ({ attempt }) => attempt > 1,
  ).length;
  const processesLeft = await instancesLeft(worker.pid);
  await worker.stop();
  return { cycles, stranded: stranded + retries, processesLeft, residentMb, slowestExecutionMs: slowest };
}

/** The host acknowledges every pool that it has: only the stable version's are left in the end. */
async function untilPoolsAre({ store }: BenchPlatform, count: number): Promise<void> {
  const until = Date.now() + 120_000;
  while ((await store.hosts.acknowledged('trivial')).length !== count) {
    if (Date.now() > until)
      throw new Error(`the host still has ${(await store.hosts.acknowledged('trivial')).length} pools after two minutes`);
    await pause(200);
  }
}

async function instancesLeft(pid: number): Promise<number> {
  const until = Date.now() + 15_000;
  while (childrenOf(pid, 'instance-main').length > 0 && Date.now() < until) await pause(200);
  return childrenOf(pid, 'instance-main').length;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const residentMbOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
