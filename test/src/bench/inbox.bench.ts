/**
 * Claiming must cost the same whatever the history: claims of 100 records beside an empty ledger, and beside one of ten million rows. And a small
 * arm must not pay for what waits of the large one.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { bucketOf } from '@autoflow/store';
import { newRecord } from './live.js';
import type { BenchOptions } from './main.js';
import { trivialRecord } from './pipelines/trivial.js';
import { startBenchPlatform, type BenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { median, quantile } from './statistics.js';

const BATCH = 100;
const ALL = [0, 9_999] as const;
/** Of a candidate with a share of 5 %. */
const SMALL = [9_500, 9_999] as const;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const history = quick ? 500_000 : 10_000_000;
  const backlog = quick ? 100_000 : 1_000_000;
  const claims = quick ? 100 : 400;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: 'trivial',
    onFile: false,
  });
  try {
    await claimTimes(platform, 20); // warm-up
    const alone = await claimTimes(platform, claims, SMALL);
    await wait(platform.stack.databaseUrl, backlog);
    await claimTimes(platform, 20, SMALL);
    const beside = await claimTimes(platform, claims, SMALL);
    progress(
      `an arm of 5 %: ${median(alone).toFixed(2)} ms per claim of ${BATCH}, beside ${backlog} that wait ${median(beside).toFixed(2)} ms`,
    );
    await clear(platform.stack.databaseUrl);
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
        {
          name: `claim of an arm of 5 % beside ${backlog} records of the other that wait ÷ beside none, median`,
          figure: median(beside) / median(alone),
          unit: '×',
          bar: 1.5,
          must: '<=',
        },
      ],
      figures: {
        history,
        backlog,
        batch: BATCH,
        aloneMs: summary(alone),
        besideMs: summary(beside),
        emptyMs: summary(empty),
        fullMs: summary(full),
      },
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
async function claimTimes(
  { store, asWritten, release }: BenchPlatform,
  claims: number,
  buckets: readonly [number, number] = ALL,
): Promise<number[]> {
  const pipeline = 'trivial';
  // An arm is one of a stream, and shares it with what waits of the others.
  const scope = buckets === ALL ? `claims-${randomBytes(4).toString('hex')}` : 'arms';
  const prefix = randomBytes(4).toString('hex');
  const keys = keysIn(buckets, prefix);
  const ref = { ref: 'none', count: BATCH, bytes: 0, counts: { records: BATCH, completed: 0, filtered: 0, dead: 0, retry: 0 } } as never;
  const times: number[] = [];
  for (let i = 0; i < claims; i++) {
    const records = Array.from({ length: BATCH }, () => newRecord(trivialRecord(keys.next().value), 'id'));
    await store.inbox.accept({ pipeline, scope, records });
    const stream = (await store.feeder.streams()).find((one) => one.scope === scope)!;
    const bounds = { records: BATCH, bytes: 64 * 1024 * 1024 };
    const id = `${prefix}.${i}`;
    const batch = { id, version: asWritten.name, release: release.hash, executionId: id, memoryMb: {} };
    const started = performance.now();
    await store.feeder.head(stream, buckets, bounds);
    const row = await store.feeder.claim({ stream, buckets, bounds, batch, arm: 'stable', probe: false, leaseMs: 30_000 }, async () => ref);
    times.push(performance.now() - started);
    if (row === undefined) throw new Error('nothing was claimed of what waits');
  }
  return times;
}

function* keysIn([first, last]: readonly [number, number], prefix: string): Generator<string, never> {
  for (let n = 0; ; n++) {
    const key = `${prefix}.${n}`;
    const bucket = bucketOf(key);
    if (bucket >= first && bucket <= last) yield key;
  }
}

/** Records of all other buckets, which nobody claims. */
async function wait(connectionString: string, rows: number): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(
    `insert into autoflow.inbox (pipeline, scope, key, record, digest, bytes, bucket)
     select 'trivial', 'arms', 'w' || n, json_build_object('id', 'w' || n, 'text', repeat('x', 500)), '', 550, n % $2::int
       from generate_series(1, $1::int) n`,
    [rows, SMALL[0]],
  );
  await client.query('vacuum analyze autoflow.inbox');
  await client.end();
}

async function clear(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('truncate autoflow.inbox');
  await client.end();
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
