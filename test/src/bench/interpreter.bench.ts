/**
 * What the interpreter costs: the as-written version of the example, one record per execution, against the same functions called from
 * a hand-written Temporal workflow on the same pools with the same batches by reference. Both sides alternate in one run.
 */
import { fileURLToPath } from 'node:url';
import { generateInvoices, setUpOrders } from '@autoflow/retail-orders';
import type { BenchOptions } from './main.js';
import { saturate, startBenchPlatform, type Admitted, type BenchPlatform } from './platform.js';
import { startRates } from './rates.js';
import type { BenchReport } from './report.js';
import { median, quantile } from './statistics.js';
import { HAND_WRITTEN_QUEUE } from './worker-process.js';

type Side = 'interpreter' | 'handWritten';
const SIDES: readonly Side[] = ['interpreter', 'handWritten'];

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const rounds = quick ? 2 : 6;
  const alone = quick ? 15 : 40;
  const flood = quick ? 60 : 200;
  const rates = await startRates();
  const platform = await startBenchPlatform({
    module: fileURLToPath(import.meta.resolve('@autoflow/retail-orders/pipeline')),
    pipeline: 'retail-orders',
    onFile: true,
    concurrency: 8,
    secrets: async (databaseUrl) => {
      await setUpOrders(databaseUrl);
      return { RATES_URL: rates.url, ORDERS_DATABASE_URL: databaseUrl };
    },
  });
  try {
    await platform.startWorker({ handWritten: true });
    const records = generateInvoices({ seed: 7, count: 2 * (rounds * (alone + flood) + 100) })[Symbol.iterator]();
    const admit = async (count: number): Promise<Admitted[]> => {
      const admitted: Admitted[] = [];
      for (let i = 0; i < count; i++) admitted.push(await platform.admit(platform.asWritten, [records.next().value as never]));
      return admitted;
    };
    progress('warm-up: every instance started');
    for (const side of SIDES) await saturate(await admit(50), 32, (batch) => execute(platform, side, batch));

    const latency: Record<Side, number[]> = { interpreter: [], handWritten: [] };
    const throughput: Record<Side, number[]> = { interpreter: [], handWritten: [] };
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? SIDES : [...SIDES].reverse();
      const single = { interpreter: await admit(alone), handWritten: await admit(alone) };
      for (let i = 0; i < alone; i++)
        for (const side of order) {
          const started = performance.now();
          await execute(platform, side, single[side][i]!);
          latency[side].push(performance.now() - started);
        }
      for (const side of order) {
        const batches = await admit(flood);
        throughput[side].push(flood / (await saturate(batches, 32, (batch) => execute(platform, side, batch))));
      }
      progress(
        `round ${round + 1} of ${rounds}: p50 ${median(latency.interpreter).toFixed(0)} ms against ${median(latency.handWritten).toFixed(0)} ms, ` +
          `${throughput.interpreter.at(-1)!.toFixed(1)} against ${throughput.handWritten.at(-1)!.toFixed(1)} records/s`,
      );
    }
    const summary = (side: Side): object => ({
      latencyMs: {
        p50: median(latency[side]),
        p95: quantile(latency[side], 0.95),
        p99: quantile(latency[side], 0.99),
        samples: latency[side].length,
      },
      recordsPerSecond: { median: median(throughput[side]), rounds: throughput[side] },
    });
    return {
      bars: [
        {
          name: 'latency p50, interpreter ÷ hand-written',
          figure: median(latency.interpreter) / median(latency.handWritten),
          unit: '×',
          bar: 1.15,
          must: '<=',
        },
        {
          name: 'saturated records/s, interpreter ÷ hand-written',
          figure: median(throughput.interpreter) / median(throughput.handWritten),
          unit: '×',
          bar: 0.85,
          must: '>=',
        },
      ],
      figures: {
        interpreter: summary('interpreter'),
        handWritten: summary('handWritten'),
        load: { alone, flood, rounds, executionsAtOnce: 32, instancesPerStage: 8 },
      },
      notMeasured: [
        'committing the batch row and writing the batch (the same on both sides, done before)',
        'a server with Postgres persistence',
        'several hosts',
      ],
    };
  } finally {
    await platform.stop();
    await rates.stop();
  }
}

function execute(platform: BenchPlatform, side: Side, batch: Admitted): Promise<void> {
  return platform.run(batch, side === 'handWritten' ? { type: 'handWritten', taskQueue: HAND_WRITTEN_QUEUE } : {});
}
