/** What batching is worth to live traffic: records per second from the inbox to the outcome, batches of 500 against one record per execution. */
import { fileURLToPath } from 'node:url';
import { DEFAULT_BATCH_BYTES } from '@autoflow/topology';
import { throughput } from './live.js';
import type { BenchOptions } from './main.js';
import { trivialRecord } from './pipelines/trivial.js';
import { startBenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

const BATCH = 500;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const rounds = quick ? 1 : 5;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: true,
  });
  try {
    const batched = await platform.version({
      ...platform.asWritten.topology,
      batch: { records: BATCH, bytes: DEFAULT_BATCH_BYTES },
      lingerMs: 100,
    });
    await platform.startWorker({ probeShare: 0 }, ['workflows', 'functions', 'feeder']);
    let next = 0;
    const records = (count: number) => Array.from({ length: count }, () => trivialRecord(`r${next++}`));
    const sides = [
      { name: 'one per execution', version: platform.asWritten, records: quick ? 60 : 300, rates: [] as number[] },
      { name: `batches of ${BATCH}`, version: batched, records: quick ? 5_000 : 30_000, rates: [] as number[] },
    ] as const;
    progress('warm-up: every instance started');
    for (const side of sides) {
      await platform.makeStable(side.version);
      await throughput(platform, records(side === sides[0] ? 20 : 4 * BATCH));
    }
    for (let round = 0; round < rounds; round++)
      for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
        await platform.makeStable(side.version);
        side.rates.push(await throughput(platform, records(side.records)));
        progress(`round ${round + 1} of ${rounds}: ${side.name} ${side.rates.at(-1)!.toFixed(1)} records/s`);
      }
    const [one, many] = sides.map(({ rates }) => median(rates)) as [number, number];
    return {
      bars: [{ name: `records/s, batches of ${BATCH} ÷ one per execution`, figure: many / one, unit: '×', bar: 50, must: '>=' }],
      figures: { sides: sides.map(({ name, records, rates }) => ({ name, records, recordsPerSecond: rates })) },
      notMeasured: ['ingest: records are put into the inbox directly', 'functions with work of their own'],
    };
  } finally {
    await platform.stop();
  }
}
