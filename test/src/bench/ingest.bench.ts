/** What ingest accepts while the whole stack (control plane, worker, Temporal, Postgres) works on the same cores: 2 KB records in posts of 100, and its memory over a million of them. */
import { fileURLToPath } from 'node:url';
import { HttpSubmitter } from '@autoflow/cli/load';
import { DEFAULT_BATCH_BYTES, stageName } from '@autoflow/topology';
import type { BenchOptions } from './main.js';
import { trivialRecord } from './pipelines/trivial.js';
import { saturate, startBenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { startControlPlane, startIngest, type ServiceProcess } from './service-process.js';
import { median, quantile } from './statistics.js';

const POST = 100;
const CLIENTS = 8;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const records = quick ? 40_000 : 1_000_000;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: true,
  });
  let controlPlane: ServiceProcess | undefined;
  try {
    const nodes = platform.spec.nodes.map(({ id }) => id);
    const fused = await platform.version({
      stages: [{ name: stageName(nodes), nodes, after: [], partitions: 1 }],
      batch: { records: 500, bytes: DEFAULT_BATCH_BYTES },
      lingerMs: 100,
    });
    await platform.makeStable(fused);
    await platform.startWorker({}, ['workflows', 'functions', 'feeder']);
    controlPlane = await startControlPlane(platform);
    const ingest = await startIngest(platform, 2 * records);
    try {
      const submitter = new HttpSubmitter({
        url: ingest.url,
        token: ingest.token,
        pipeline: 'trivial',
        scope: 'load-ingest',
        connections: CLIENTS,
      });
      const posts = Array.from({ length: records / POST }, (_, post) => post);
      const portion = Math.ceil(posts.length / 20);
      const rates: number[] = [];
      const memory: number[] = [];
      let refused = 0;
      for (let from = 0; from < posts.length; from += portion) {
        const some = posts.slice(from, from + portion);
        const seconds = await saturate(some, CLIENTS, async (post) => {
          const answer = await submitter.submit(Array.from({ length: POST }, (_, i) => trivialRecord(`r${post * POST + i}`)));
          refused += answer.refused;
        });
        rates.push((some.length * POST) / seconds);
        memory.push(ingest.memoryMb());
        progress(`${(from + some.length) * POST} records: ${rates.at(-1)!.toFixed(0)}/s, ingest holds ${memory.at(-1)!.toFixed(0)} MB`);
      }
      submitter.close();
      // The first portions are those in which a process comes to its size.
      const settled = median(memory.slice(2, 7));
      return {
        bars: [
          { name: 'records accepted per second, the stack at work', figure: median(rates), unit: 'records/s', bar: 3_000, must: '>=' },
          {
            name: "ingest's memory, last tenth ÷ first third",
            figure: median(memory.slice(-2)) / settled,
            unit: '×',
            bar: 1.2,
            must: '<=',
          },
          { name: 'records refused', figure: refused, unit: 'records', bar: 0, must: '<=' },
        ],
        figures: { records, clients: CLIENTS, recordsPerPost: POST, rates, slowest: quantile(rates, 0.05), memoryMb: memory },
        notMeasured: [
          'a client on another machine: the one that posts shares these cores',
          'requests to the control plane: it runs, and nobody asks it',
          ...(quick ? ['a million records'] : []),
        ],
      };
    } finally {
      await ingest.stop();
    }
  } finally {
    await controlPlane?.stop();
    await platform.stop();
  }
}
