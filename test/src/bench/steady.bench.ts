/** Steady load at half of saturation, through ingest and the feeder: latency from the intended arrival keeps together. */
import { fileURLToPath } from 'node:url';
import { clockOffset, HttpSubmitter, measure, offer, outcomesOf, runMark, storedOutcomes, systemClock } from '@autoflow/cli/load';
import { DEFAULT_BATCH_BYTES } from '@autoflow/topology';
import { constant, rateTrace } from '@autoflow/twin';
import { startIngest } from './service-process.js';
import { throughput } from './live.js';
import type { BenchOptions } from './main.js';
import { trivialRecord } from './pipelines/trivial.js';
import { startBenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const seconds = quick ? 20 : 120;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: true,
  });
  try {
    const batched = await platform.version({
      ...platform.asWritten.topology,
      batch: { records: 100, bytes: DEFAULT_BATCH_BYTES },
      lingerMs: 100,
    });
    await platform.makeStable(batched);
    await platform.startWorker({}, ['workflows', 'functions', 'feeder']);
    let next = 0;
    const records = (count: number) => Array.from({ length: count }, () => trivialRecord(`r${next++}`));
    progress('warm-up: every instance started');
    await throughput(platform, records(1_000));
    const saturation = median([
      await throughput(platform, records(quick ? 2_000 : 10_000)),
      await throughput(platform, records(quick ? 2_000 : 10_000)),
    ]);
    progress(`saturation: ${saturation.toFixed(0)} records/s`);
    const ingest = await startIngest(platform, 1_000_000);
    try {
      const mark = runMark();
      const scope = 'load-steady';
      const submitter = new HttpSubmitter({ url: ingest.url, token: ingest.token, pipeline: 'trivial', scope });
      const clockOffsetMs = await clockOffset(platform.store.ended);
      const record = (number: number, intendedMs: number) => trivialRecord(mark.stamp('s', number, intendedMs));
      const trace = rateTrace('steady', constant(saturation / 2, seconds * 1000), 'poisson');
      const offered = await offer({ trace, seed: 1, record, submitter, clock: systemClock });
      submitter.close();
      const outcomes = storedOutcomes(platform.store.ended, {
        pipeline: 'trivial',
        scope,
        mark,
        startedAt: offered.startedAt,
        clockOffsetMs,
      });
      const measured = await measure(outcomesOf({ outcomes, offered, drainMs: 60_000 }), {
        mark,
        offered,
        clockOffsetMs,
        warmUpMs: seconds * 200,
      });
      const { p50 = 0, p99 = 0 } = measured.latency ?? {};
      progress(`at half of it: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
      return {
        bars: [
          { name: 'latency at half of saturation, p99 ÷ p50', figure: p50 > 0 ? p99 / p50 : Infinity, unit: '×', bar: 3, must: '<=' },
          { name: "the generator's lateness, p99", figure: offered.lateness?.p99 ?? Infinity, unit: 'ms', bar: 100, must: '<=' },
          { name: 'accepted records without an outcome', figure: measured.unfinished, unit: 'records', bar: 0, must: '<=' },
        ],
        figures: { saturation, seconds, offered, measured },
        notMeasured: ['a generator on a machine of its own', 'functions with work of their own'],
      };
    } finally {
      await ingest.stop();
    }
  } finally {
    await platform.stop();
  }
}
