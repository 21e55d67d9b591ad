/**
 * What measuring every invocation costs, and recording what functions were asked and answered about the default share of the records: the same
 * load with both and with neither, alternating, each on a fresh worker.
 */
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DEFAULT_BATCH_BYTES } from '@autoflow/topology';
import type { BenchOptions } from './main.js';
import { treeCpuMs } from './cpu.js';
import { saturate, startBenchPlatform, type Admitted } from './platform.js';
import { trivialRecord } from './pipelines/trivial.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const rounds = quick ? 3 : 10;
  const executions = quick ? 150 : 400;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: false,
  });
  try {
    const version = await platform.version({ ...platform.asWritten.topology, batch: { records: 10, bytes: DEFAULT_BATCH_BYTES } });
    let next = 0;
    const admit = async (count: number): Promise<Admitted[]> => {
      const admitted: Admitted[] = [];
      for (let i = 0; i < count; i++)
        admitted.push(
          await platform.admit(
            version,
            Array.from({ length: 10 }, () => trivialRecord(`r${next++}`)),
          ),
        );
      return admitted;
    };
    const throughput: Record<'on' | 'off', number[]> = { on: [], off: [] };
    const cpuPerRecordMs: Record<'on' | 'off', number[]> = { on: [], off: [] };
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        const worker = await platform.startWorker(side === 'on' ? { metering: true } : { metering: false, recordShare: 0 });
        await saturate(await admit(40), 16, (one) => platform.run(one));
        const admitted = await admit(executions);
        const before = treeCpuMs([process.pid]);
        const seconds = await saturate(admitted, 16, (one) => platform.run(one));
        cpuPerRecordMs[side].push((treeCpuMs([process.pid]) - before) / (executions * 10));
        throughput[side].push((executions * 10) / seconds);
        await worker.stop();
      }
      progress(
        `round ${round + 1} of ${rounds}: ${throughput.on.at(-1)!.toFixed(0)} records/s with, ${throughput.off.at(-1)!.toFixed(0)} without; CPU ${cpuPerRecordMs.on.at(-1)!.toFixed(2)} and ${cpuPerRecordMs.off.at(-1)!.toFixed(2)} ms per record`,
      );
    }
    const recordedCalls = await countCalls(platform.stack.databaseUrl);
    if (recordedCalls === 0) throw new Error('nothing was recorded: the side with recording is not what it is said to be');
    const ratios = throughput.on.map((on, i) => on / throughput.off[i]!);
    return {
      bars: [{ name: 'throughput lost to metering and recording', figure: 1 - median(ratios), unit: 'of 1', bar: 0.03, must: '<=' }],
      figures: {
        on: throughput.on,
        off: throughput.off,
        cpuPerRecordMs,
        pairs: ratios,
        invocationsPerSecond: median(throughput.on) / 2,
        recordedCalls,
      },
      notMeasured: [
        'metering of single-record executions on a slow disk',
        'reading the metrics while they are written',
        'recording of inputs, which the feeder does: batches are admitted directly',
      ],
    };
  } finally {
    await platform.stop();
  }
}

/** Of functions, about records of the side that records: the other one adds none. */
async function countCalls(databaseUrl: string): Promise<number> {
  const sql = new pg.Client({ connectionString: databaseUrl });
  await sql.connect();
  try {
    const { rows } = await sql.query<{ n: number }>('select count(*)::int as n from autoflow.recorded_calls');
    return rows[0]!.n;
  } finally {
    await sql.end();
  }
}
