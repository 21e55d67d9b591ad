import { beforeAll, expect, test } from 'vitest';
import { EMPTY_ARM_CELL, type ArmCell } from '@autoflow/topology';
import type { ArmBlock, ComparisonQuery } from './comparisons.model.js';
import { registerPipeline, useTestStore } from './testing/fixtures.js';
import { invocationOf } from './testing/measurements.js';

const MINUTE = 60_000;
const BLOCK_MS = 10_000;
const context = useTestStore();
let from: number;
let now: number;
beforeAll(async () => {
  now = Math.floor(await context.store.comparisons.clock());
  from = now - 40 * MINUTE;
  // Partitions come with the first row of a day.
  const rows = [from, now].map((at) => invocationOf({ pipeline: 'another', runId: `${at}`, startedAt: new Date(at) }));
  await context.store.metering.writeInvocations(rows);
});

/** A canary with a batch of four records of either arm each two seconds, twice as slow after 20 minutes; every tenth record of the candidate dies, every fifth attempt is repeated. */
async function canary(pipeline: string): Promise<void> {
  await registerPipeline(context.store, pipeline);
  await context.sql.query(
    `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings) values ($1, $1, 'v1', 'v1', false, '', '', '{}')`,
    [pipeline],
  );
  await context.sql.query(
    `with b as (
       insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, state, opened_at, closed_at)
       select $1 || arm || i, $1, 'v1', 'r1', 'live', $1 || arm || i, '{}', '{}', arm, 4, 4, 'closed', at, at + (1 + i * 37 % 50) * (1 + i / 600) * interval '100 ms'
         from generate_series(0, 1180) i, unnest(array['candidate', 'control']) arm,
              lateral (select to_timestamp($2::float8 / 1000) + i * interval '2 s' as at) t
       returning *),
     i as (
       insert into autoflow.invocations (run_id, activity_id, attempt, execution_id, pipeline, release, version, stage, scope, batch_id, host, started_at,
         queue_ms, gate_ms, cold, cold_start_ms, duration_ms, cpu_ms, run_queue_ms, peak_memory_mb, memory_mb, enforcement, records_in, records_out,
         filtered, dead, retried, bytes_in, bytes_out, outcome, cost_usd, spans)
       select id, '1', 1, id, $1, 'r1', 'v1', 'parse', 'live', id, 'h', opened_at, 0, 0, false, 0, 1, 1, 0, 1, 128, 'soft', 4, 4, 0, 0,
              case when id like '%5' then 1 else 0 end, 1, 1, 'ok', 0.001, '[]' from b)
     insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
     select $1, 'live', id || n, case when arm = 'candidate' and id like '%0' then 'dead' else 'completed' end, id, 'v1', 'r1', opened_at, closed_at
       from b, generate_series(1, 4) n`,
    [pipeline, from],
  );
  await context.sql.query('analyze autoflow.batches, autoflow.invocations, autoflow.records');
}

const blocks = (pipeline: string, more: Partial<ComparisonQuery> = {}) =>
  context.store.comparisons.blocks({
    pipeline,
    ours: { arm: 'candidate' },
    theirs: { arm: 'control' },
    from,
    to: now,
    blockMs: BLOCK_MS,
    slower: { p95: 1.1, p99: 1.25 },
    ...more,
  });
const keptBlocks = (pipeline: string, more: Partial<ComparisonQuery> = {}) =>
  blocks(pipeline, { kept: { rollout: pipeline, step: 0 }, ...more });
const sum = (found: readonly ArmBlock[], name: keyof ArmCell, arm: 'ours' | 'theirs' = 'ours') =>
  found.reduce((total, block) => total + block[arm][name], 0);

test('blocks that are closed are what their rows say, whenever they were taken, and their rows may go', async () => {
  await canary('kept');
  const read = await blocks('kept');
  expect(sum(read, 'records')).toBe(4 * 1181);
  expect([sum(read, 'dead'), sum(read, 'errors'), sum(read, 'slow95', 'theirs')].every((count) => count > 0)).toBe(true);

  await keptBlocks('kept', { to: from + 3 * MINUTE });
  await keptBlocks('kept', { to: from + 20 * MINUTE });
  const ms = (block: ArmBlock) => [block.ours.costUsd, block.theirs.costUsd, block.ours.latencyMs, block.theirs.latencyMs];
  const close = (found: ArmBlock[]) =>
    found.map((block, i) => {
      ms(block).forEach((value, n) => expect(value).toBeCloseTo(ms(read[i]!)[n]!, 6));
      const same = { costUsd: 0, latencyMs: 0 };
      return { ...block, ours: { ...block.ours, ...same }, theirs: { ...block.theirs, ...same } };
    });
  expect(close(await keptBlocks('kept'))).toEqual(close(read));
  // Blocks that are kept beyond, as by an attempt beside this one, do not count, nor do their latencies.
  const early = { to: from + 10 * MINUTE };
  expect(close(await keptBlocks('kept', early))).toEqual(close(await blocks('kept', early)));

  await context.sql.query(`delete from autoflow.records where pipeline = 'kept' and ended_at < to_timestamp($1::float8 / 1000)`, [
    now - 10 * MINUTE,
  ]);
  await context.sql.query(`delete from autoflow.invocations where pipeline = 'kept' and started_at < to_timestamp($1::float8 / 1000)`, [
    now - 10 * MINUTE,
  ]);
  expect(close(await keptBlocks('kept'))).toEqual(close(read));
  expect(sum(await blocks('kept'), 'records')).toBeLessThan(sum(read, 'records'));
});

test('what comes late counts once: as running at the end while it runs, and then where it ended', async () => {
  await canary('late');
  const lateBatch = async (id: string, arrived: number, ended?: number) => {
    const times = [arrived, ended].map((at) => (at === undefined ? null : new Date(from + at)));
    await context.sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, dead, state, opened_at, closed_at)
       values ($1, 'late', 'v1', 'r1', 'live', $1, '{}', '{}', 'candidate', 1, 1, case when $3::timestamptz is null then 'open' else 'closed' end, $2, $3)`,
      [id, ...times],
    );
    await context.sql.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
       values ('late', 'live', $1, case when $3::timestamptz is null then 'running' else 'dead' end, $1, 'v1', 'r1', $2, $3)`,
      [id, ...times],
    );
  };
  const before = await keptBlocks('late');
  await lateBatch('stuck', 2 * MINUTE);
  const running = await keptBlocks('late');
  expect(sum(running, 'records')).toBe(sum(before, 'records') + 1);
  expect(running.at(-1)!.ours.running).toBe(1);

  await context.sql.query(`update autoflow.batches set state = 'closed', closed_at = $1 where id = 'stuck'`, [new Date(now - MINUTE)]);
  await context.sql.query(`update autoflow.records set state = 'dead', ended_at = $1 where key = 'stuck'`, [new Date(now - MINUTE)]);
  const ended = await keptBlocks('late');
  expect([sum(ended, 'records'), sum(ended, 'dead'), sum(ended, 'running')]).toEqual([
    sum(before, 'records') + 1,
    sum(before, 'dead') + 1,
    0,
  ]);
  const there = (found: readonly ArmBlock[]) => found.find(({ at }) => at === from + 39 * MINUTE)?.ours ?? EMPTY_ARM_CELL;
  expect(there(ended).dead).toBe(there(before).dead + 1);

  // Of two steps: what arrived in the first portion that is read and ended in the second is there when both are kept.
  await canary('portions');
  await context.sql.query(`update autoflow.records set pipeline = 'portions' where key = 'stuck'`);
  await context.sql.query(`update autoflow.batches set pipeline = 'portions', closed_at = $1 where id = 'stuck'`, [
    new Date(from + 15 * MINUTE),
  ]);
  await context.sql.query(`update autoflow.records set ended_at = $1 where key = 'stuck'`, [new Date(from + 15 * MINUTE)]);
  await keptBlocks('portions', { to: from + 10 * MINUTE });
  const portions = await keptBlocks('portions');
  expect(sum(portions, 'records')).toBe(4 * 1181 + 1);
  expect(portions.find(({ at }) => at === from + 15 * MINUTE)!.ours.slow99).toBeGreaterThan(0);
});

test('of a rollout that has ended nothing is kept', async () => {
  await canary('over');
  await keptBlocks('over');
  const kept = async () => (await context.sql.query(`select from autoflow.closed_blocks where rollout = 'over'`)).rowCount;
  await context.store.rollouts.removeEvaluations(new Date(0));
  expect(await kept()).toBeGreaterThan(100);
  await context.sql.query(`update autoflow.rollouts set ended_at = now() - interval '2 hours' where id = 'over'`);
  await context.store.rollouts.removeEvaluations(new Date(0));
  expect(await kept()).toBe(0);
});
