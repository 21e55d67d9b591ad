/** What batching and fusion are worth: CPU of the whole stack per record, five trivial stages, records of 2 KB. */
import { fileURLToPath } from 'node:url';
import { DEFAULT_BATCH_BYTES, stageName } from '@autoflow/topology';
import type { BenchOptions } from './main.js';
import { saturate, startBenchPlatform, type Admitted, type BenchVersion } from './platform.js';
import { trivialRecord } from './pipelines/trivial.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';
import { treeCpuMs } from './cpu.js';

interface Side {
  readonly name: string;
  readonly version: BenchVersion;
  readonly records: number;
  readonly executions: number;
  readonly cpuPerRecordMs: number[];
  readonly recordsPerSecond: number[];
}

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const rounds = quick ? 2 : 5;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: true,
  });
  try {
    await platform.startWorker();
    const batch = (records: number) => ({ records, bytes: DEFAULT_BATCH_BYTES });
    const nodes = platform.spec.nodes.map(({ id }) => id);
    const fused = { stages: [{ name: stageName(nodes), nodes, after: [], partitions: 1 }], batch: batch(1000), lingerMs: 0 };
    const side = (name: string, version: BenchVersion, records: number, executions: number): Side => ({
      name,
      version,
      records,
      executions,
      cpuPerRecordMs: [],
      recordsPerSecond: [],
    });
    const sides = [
      side('N=1', platform.asWritten, 1, 150),
      side('N=100', await platform.version({ ...platform.asWritten.topology, batch: batch(100) }), 100, 60),
      side('N=1000', await platform.version({ ...platform.asWritten.topology, batch: batch(1000) }), 1000, 30),
      side('N=1000 fused', await platform.version(fused), 1000, 60),
    ];
    let next = 0;
    const admit = async ({ version, records }: Side, executions: number): Promise<Admitted[]> => {
      const admitted: Admitted[] = [];
      for (let i = 0; i < executions; i++)
        admitted.push(
          await platform.admit(
            version,
            Array.from({ length: records }, () => trivialRecord(`r${next++}`)),
          ),
        );
      return admitted;
    };
    progress('warm-up: every instance started');
    for (const each of sides) await saturate(await admit(each, 12), 8, (one) => platform.run(one));

    for (let round = 0; round < rounds; round++) {
      for (const each of round % 2 === 0 ? sides : [...sides].reverse()) {
        const admitted = await admit(each, each.executions);
        // This process is the root of all: servers, worker, instances, and the client that starts the executions.
        const before = treeCpuMs([process.pid]);
        const seconds = await saturate(admitted, 16, (one) => platform.run(one));
        const records = each.records * each.executions;
        each.cpuPerRecordMs.push((treeCpuMs([process.pid]) - before) / records);
        each.recordsPerSecond.push(records / seconds);
      }
      progress(
        `round ${round + 1} of ${rounds}: ${sides.map((s) => `${s.name} ${s.cpuPerRecordMs.at(-1)!.toFixed(3)} ms, ${s.recordsPerSecond.at(-1)!.toFixed(0)}/s`).join(' · ')}`,
      );
    }
    const cpu = (name: string): number => median(sides.find((s) => s.name === name)!.cpuPerRecordMs);
    return {
      bars: [
        { name: 'CPU per record, N=100 ÷ N=1', figure: cpu('N=100') / cpu('N=1'), unit: '×', bar: 1 / 30, must: '<=' },
        { name: 'CPU per record, N=1000 fused ÷ N=1', figure: cpu('N=1000 fused') / cpu('N=1'), unit: '×', bar: 1 / 250, must: '<=' },
      ],
      figures: Object.fromEntries(
        sides.map((s) => [
          s.name,
          {
            records: s.records,
            executions: s.executions,
            cpuPerRecordMs: { median: median(s.cpuPerRecordMs), rounds: s.cpuPerRecordMs },
            recordsPerSecond: { median: median(s.recordsPerSecond), rounds: s.recordsPerSecond },
          },
        ]),
      ),
      notMeasured: [
        'admission: writing the batch and committing its rows happens before the clock starts',
        'functions with work of their own',
      ],
    };
  } finally {
    await platform.stop();
  }
}
