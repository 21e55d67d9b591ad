/** Claiming must cost the same whatever the history: claims of 100 records beside an empty ledger, and beside one of ten million rows. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { newRecord } from './live.js';
import type { BenchOptions } from './main.js';
import { trivialRecord } from './pipelines/trivial.js';
import { startBenchPlatform, type BenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { median, quantile } from './statistics.js';

const BATCH = 100;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const history = quick ? 500_000 : 10_000_000;
  const claims = quick ? 100 : 400;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: false,
  });
  try {
    await claimTimes(platform, 20); // warm-up
    const empty = await claimTimes(platform, claims);
    progress(`empty: ${median(empty).toFixed(2)} ms per claim of ${BATCH}`);
    await fill(platform.stack.databaseUrl, history, progress);
    await claimTimes(platform, 20);
    const full = await claimTimes(platform, claims);
    progress(`${history} rows of history: ${median(full).toFixed(2)} ms per claim of ${BATCH}`);
    return {
      bars: [
        {
          name: `claim beside ${history} rows of history ÷ beside none, median`,
          figure: median(full) / median(empty),
          unit: '×',
          bar: 1.5,
          must: '<=',
        },
      ],
      figures: { history, batch: BATCH, emptyMs: summary(empty), fullMs: summary(full) },
      notMeasured: [
        'several feeders at once',
        'writing the batch file',
        'hourly vacuum of the history',
        ...(quick ? ['ten million rows'] : []),
      ],
    };
  } finally {
    await platform.stop();
  }
}

/** Milliseconds of each: what a feeder does to open one batch (head, claim), without its file. */
async function claimTimes({ store, asWritten, release }: BenchPlatform, claims: number): Promise<number[]> {
  const pipeline = 'trivial';
  const scope = `claims-${randomBytes(4).toString('hex')}`;
  const ref = { ref: 'none', count: BATCH, bytes: 0, counts: { records: BATCH, completed: 0, filtered: 0, dead: 0, retry: 0 } } as never;
  const times: number[] = [];
  for (let i = 0; i < claims; i++) {
    const records = Array.from({ length: BATCH }, (_, n) => newRecord(trivialRecord(`r${i}.${n}`), 'id'));
    await store.inbox.accept({ pipeline, scope, records });
    const stream = (await store.feeder.streams()).find((one) => one.scope === scope)!;
    const bounds = { records: BATCH, bytes: 64 * 1024 * 1024 };
    const id = `${scope}.${i}`;
    const batch = { id, version: asWritten.name, release: release.hash, executionId: id, memoryMb: {} };
    const started = performance.now();
    await store.feeder.head(stream, [0, 9_999], bounds);
    const row = await store.feeder.claim(
      { stream, buckets: [0, 9_999], bounds, batch, arm: 'stable', probe: false, leaseMs: 30_000 },
      async () => ref,
    );
    times.push(performance.now() - started);
    if (row === undefined) throw new Error('nothing was claimed of what waits');
  }
  return times;
}

/** Records that ended over the last days, in batches of 100, as they would lie there. */
async function fill(connectionString: string, rows: number, progress: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const portion = 500_000;
  for (let from = 0; from < rows; from += portion) {
    await client.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at, output)
       select 'trivial', 'live', 'h' || n, 'completed', 'h' || n / 100, 'v1', 'r', now() - make_interval(secs => $3 - n), now() - make_interval(secs => $3 - n), '{"e":1}'
         from generate_series($1::bigint, $2::bigint) n`,
      [from, from + portion - 1, rows],
    );
    await client.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, state, ref, memory_mb, admitted, closed_at, arm)
       select 'h' || n, 'trivial', 'v1', 'r', 'live', 'h' || n, 'closed', '{}', '{}', 100, now(), 'stable' from generate_series($1::bigint, $2::bigint) n`,
      [from / 100, (from + portion) / 100 - 1],
    );
    progress(`${from + portion} rows of history`);
  }
  await client.query('analyze autoflow.records');
  await client.query('analyze autoflow.batches');
  await client.end();
}

const summary = (times: readonly number[]): object => ({ median: median(times), p95: quantile(times, 0.95), claims: times.length });
