/** What looking at a canary costs when it is old: one step with a million invocations, its blocks read from their rows, and from what is kept of them. */
import { fileURLToPath } from 'node:url';
import type { ArmBlock, ComparisonQuery, Store } from '@autoflow/store';
import pg from 'pg';
import type { BenchOptions } from './main.js';
import { startBenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

const PIPELINE = 'trivial';
const ROLLOUT = 'ro-bench';
const HOURS = 6;
/** Of either arm; a batch has four records and three invocations. */
const BATCHES = { full: 166_667, quick: 16_667 } as const;
const BLOCK_MS = 5_000;
const PERIOD_MS = 60_000;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const batches = quick ? BATCHES.quick : BATCHES.full;
  const looks = quick ? 5 : 15;
  const platform = await startBenchPlatform({
    module: fileURLToPath(new URL('./pipelines/trivial.js', import.meta.url)),
    pipeline: PIPELINE,
    onFile: false,
  });
  try {
    const now = await platform.store.comparisons.clock();
    const from = now - HOURS * 3_600_000;
    await fill(platform.stack.databaseUrl, platform.store, from, batches, progress);
    const query: ComparisonQuery = {
      pipeline: PIPELINE,
      ours: { arm: 'candidate' },
      theirs: { arm: 'control' },
      ...{ from, to: now, blockMs: BLOCK_MS, waiting: true, slower: { p95: 1.1, p99: 1.25 } },
    };
    const look = (to: number, kept: boolean) =>
      timed(() => platform.store.comparisons.blocks({ ...query, to, ...(kept && { kept: { rollout: ROLLOUT, step: 0 } }) }));
    const rowsMs: number[] = [];
    for (let i = 0; i < Math.min(5, looks); i++) rowsMs.push((await look(now, false)).ms);
    progress(`from ${6 * batches} invocations: ${median(rowsMs).toFixed(0)} ms a look`);
    const first = await look(now - looks * PERIOD_MS, true);
    progress(`the first look keeps all blocks that are closed: ${first.ms.toFixed(0)} ms`);
    const keptMs: number[] = [];
    let last: readonly ArmBlock[] = [];
    for (let to = now - (looks - 1) * PERIOD_MS; to <= now; to += PERIOD_MS) {
      const { ms, found } = await look(to, true);
      keptMs.push(ms);
      last = found;
    }
    progress(`from what is kept: ${median(keptMs).toFixed(0)} ms a look, of ${last.length} blocks`);
    return {
      bars: [
        {
          name: `a look at a step with ${6 * batches} invocations ÷ the same from all its rows, median`,
          figure: median(keptMs) / median(rowsMs),
          unit: '×',
          bar: 0.2,
          must: '<=',
        },
        { name: 'the slowest look, of 30 s that it may take', figure: Math.max(...keptMs) / 1_000, unit: 's', bar: 5, must: '<=' },
      ],
      figures: { invocations: 6 * batches, records: 8 * batches, hours: HOURS, blocks: last.length, rowsMs, firstMs: first.ms, keptMs },
      notMeasured: ['the judgement, which reads no rows', 'a pipeline that writes meanwhile', ...(quick ? ['a million invocations'] : [])],
    };
  } finally {
    await platform.stop();
  }
}

async function timed(look: () => Promise<readonly ArmBlock[]>): Promise<{ ms: number; found: readonly ArmBlock[] }> {
  const began = performance.now();
  const found = await look();
  return { ms: performance.now() - began, found };
}

/** As if both arms had run for hours: latencies between 0.2 and 6 seconds. */
async function fill(
  connectionString: string,
  store: Store,
  from: number,
  batches: number,
  progress: (line: string) => void,
): Promise<void> {
  await store.metering.maintain(30);
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; release: string }>(
      'select name as version, release from autoflow.versions where pipeline = $1 limit 1',
      [PIPELINE],
    );
    const { version, release } = rows[0]!;
    await client.query(
      `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings) values ($1, $2, $3, $3, false, '', '', '{}')`,
      [ROLLOUT, PIPELINE, version],
    );
    const portion = Math.ceil(batches / 10);
    for (let begin = 0; begin < batches; begin += portion) {
      const until = Math.min(batches, begin + portion) - 1;
      await client.query(FILL, [PIPELINE, version, release, from, (HOURS * 3_600_000 - 10_000) / batches, begin, until]);
      progress(`${6 * (until + 1)} invocations`);
    }
    await client.query('analyze');
  } finally {
    await client.end();
  }
}

const FILL = `
with b as (
  insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, state, opened_at, closed_at)
  select arm || i, $1, $2, $3, 'live', arm || i, '{}', '{}', arm, 4, 4, 'closed', at, at + (200 + (i * 7919) % 97 * (i * 104729) % 61) * interval '1 ms'
    from generate_series($6::int8, $7::int8) i, unnest(array['candidate', 'control']) arm,
         lateral (select to_timestamp(($4::float8 + i * $5::float8) / 1000) as at) t
  returning *),
i as (
  insert into autoflow.invocations (run_id, activity_id, attempt, execution_id, pipeline, release, version, stage, scope, batch_id, host, started_at,
    queue_ms, gate_ms, cold, cold_start_ms, duration_ms, cpu_ms, run_queue_ms, peak_memory_mb, memory_mb, enforcement, records_in, records_out,
    filtered, dead, retried, bytes_in, bytes_out, outcome, cost_usd, spans)
  select id, a::text, 1, id, $1, $3, $2, 'stage' || a, 'live', id, 'h', opened_at, 0, 0, false, 0, 1, 1, 0, 1, 128, 'soft', 4, 4, 0, 0, 0, 1, 1, 'ok',
         0.001, '[]' from b, generate_series(1, 3) a)
insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
select $1, 'live', id || '/' || n, 'completed', id, $2, $3, opened_at, closed_at from b, generate_series(1, 4) n`;
