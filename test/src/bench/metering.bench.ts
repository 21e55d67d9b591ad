/** What measuring every invocation costs: the same load with metering on and off, alternating, each on a fresh worker. */
import { fileURLToPath } from 'node:url';
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
        const worker = await platform.startWorker({ metering: side === 'on' });
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
    const ratios = throughput.on.map((on, i) => on / throughput.off[i]!);
    return {
      bars: [{ name: 'throughput lost to metering', figure: 1 - median(ratios), unit: 'of 1', bar: 0.03, must: '<=' }],
      figures: { on: throughput.on, off: throughput.off, cpuPerRecordMs, pairs: ratios, invocationsPerSecond: median(throughput.on) / 2 },
      notMeasured: ['metering of single-record executions on a slow disk', 'reading the metrics while they are written'],
    };
  } finally {
    await platform.stop();
  }
}
