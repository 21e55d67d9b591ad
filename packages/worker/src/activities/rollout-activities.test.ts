/** What an evaluation decides, of a canary whose rows are there: nothing runs beside the database. */
import { asyncLocalStorage } from '@temporalio/activity';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { ROLLOUT_DEFAULTS, type RolloutActivities } from '@autoflow/topology';
import { rollOut } from '../optimizing/roll-out.js';
import { rolloutActivities } from './rollout-activities.js';

const stack = useTestStack();
const by = { actor: 'tester', reason: 'because' };
const topology = {
  stages: [{ name: 'parse', nodes: ['parse'], after: [], partitions: 1 }],
  batch: { records: 1, bytes: 1024 },
  lingerMs: 0,
};
const envelope = { parse: { memoryMb: [128], concurrency: { min: 1, max: 1 } } };
const allocation = { parse: { memoryMb: 128, concurrency: 1 } };
const nodes = [{ id: 'parse', name: 'parse' }] as never;
const spec = { name: 'orders', key: 'id', input: ['id'], output: ['id'], nodes, resources: [], schemas: { input: {}, output: {} } };
const margins = { dead: 0.1, errors: 0.1, p95: null, p99: null, cost: 0.1 };
const settings = { ...ROLLOUT_DEFAULTS, steps: [50], warmupMs: 0, blockMs: 1_000, margins };
let store: Store;
let sql: pg.Client;
let activities: RolloutActivities;
const evaluate = (rollout: string) => activities.evaluateRollout({ rollout });
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  await store.metering.maintain(30);
  // What began before midnight.
  const [yesterday, today] = [1, 0].map((days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10));
  await sql.query(
    `create table autoflow.invocations_${yesterday!.replaceAll('-', '')} partition of autoflow.invocations for values from ('${yesterday}Z') to ('${today}Z')`,
  );
  await store.definitions.registerRelease({ release: { pipeline: 'orders', hash: 'r1', spec }, topology, envelope, allocation, by });
  const dearer = { ...topology, batch: { records: 7, bytes: 1024 } };
  await store.definitions.registerVersion({ pipeline: 'orders', hash: 'h2', release: 'r1', topology: dearer, envelope, allocation, by });
  activities = rolloutActivities({ store });
});
afterAll(async () => {
  await sql.end();
  await store.close();
});

let count = 0;

/**
 * Five minutes of a step, a batch of ten records of either arm each second: one of the candidate costs so much, after a warm-up in which it may cost
 * something else, and one of the control a dollar.
 */
async function canary(costUsd: number, { warmupMs = 0, warmupUsd = costUsd } = {}): Promise<string> {
  const id = `ro-${++count}`;
  await sql.query('truncate autoflow.batches, autoflow.records, autoflow.invocations');
  await sql.query(`update autoflow.rollouts set state = 'aborted', ended_at = coalesce(ended_at, now())`);
  await store.rollouts.create({ id, pipeline: 'orders', version: 'v2', own: true, settings: { ...settings, warmupMs } }, by);
  const from = (await store.comparisons.clock()) - 300_000;
  await sql.query(`update autoflow.rollouts set state = 'canary', steps = $2 where id = $1`, [id, JSON.stringify([{ percent: 50, from }])]);
  await sql.query(
    `with b as (
       insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, state, opened_at, closed_at)
       select $1 || arm || i, 'orders', 'v1', 'r1', 'live', 'e', '{}', '{}', arm, 10, 10, 'closed', at, at + (100 + i * 37 % 50) * interval '1 ms'
         from generate_series(0, 297) i, unnest(array['candidate', 'control']) arm, lateral (select to_timestamp($2::float8 / 1000) + i * interval '1 s' as at) t
       returning *),
     i as (
       insert into autoflow.invocations (run_id, activity_id, attempt, execution_id, pipeline, release, version, stage, scope, batch_id, host, started_at,
         queue_ms, gate_ms, cold, cold_start_ms, duration_ms, cpu_ms, run_queue_ms, peak_memory_mb, memory_mb, enforcement, records_in, records_out,
         filtered, dead, retried, bytes_in, bytes_out, outcome, cost_usd, spans)
       select id, '1', 1, 'e', 'orders', 'r1', 'v1', 'parse', 'live', id, 'h', opened_at, 0, 0, false, 0, 1, 1, 0, 1, 128, 'soft', 10, 10, 0, 0, 0, 1, 1,
              'ok', case when arm <> 'candidate' then 1 when opened_at < to_timestamp($4::float8 / 1000) then $5 else $3::float8 end, '[]' from b)
     insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
     select 'orders', 'live', id || '/' || n, 'completed', id, 'v1', 'r1', opened_at, closed_at from b, generate_series(1, 10) n`,
    [id, from, costUsd, from + warmupMs, warmupUsd],
  );
  await sql.query('analyze autoflow.batches, autoflow.invocations, autoflow.records');
  return id;
}
const change = (change: Parameters<Store['settings']['change']>[0]['change']) => store.settings.change({ pipeline: 'orders', change, by });

/** What is closed is so for as long as hosts take to write what it cost. */
const measured = () => sql.query(`update autoflow.batches set closed_at = least(closed_at, now() - interval '11 seconds')`);

/** Told in turn what a host polls, each time when it waits; fails where it waits for more. */
async function warmed(rollout: string, ...said: Parameters<Store['hosts']['acknowledge']>[1][]) {
  const sleep = async (): Promise<void> => {
    const pools = said.shift();
    if (pools === undefined) throw new Error('it still waits');
    await store.hosts.acknowledge('host-1', pools);
  };
  const answer = await asyncLocalStorage.run({ heartbeat: () => undefined, sleep } as never, () => activities.warmRollout({ rollout }));
  return { answer, left: said.length };
}

test('a candidate is warm when every pool of it is polled, at its memory; nothing else will do', async () => {
  const id = await canary(1);
  const pool = { pipeline: 'orders', version: 'v2', stage: 'parse', memoryMb: 128, concurrency: 1, instances: 1 };
  const others = [[{ ...pool, version: 'v1' }], [{ ...pool, memoryMb: 256 }], [{ ...pool, stage: 'other' }]];
  await expect(warmed(id, ...others)).rejects.toThrow('it still waits');
  expect(await warmed(id, ...others, [pool])).toEqual({ answer: { decision: 'advance', reason: 'its pools are warm' }, left: 0 });
  await store.hosts.acknowledge('host-1', []);
  await store.rollouts.end({ id, outcome: 'aborted', by });
  expect(await warmed(id)).toMatchObject({ answer: { decision: 'superseded' } });
});

test('what is proved waits for a person as long as the settings say, and is taken back then', async () => {
  await change({ autonomy: 'canary', spendCapUsd: null, approvalDays: 3 });
  const id = await canary(0.5);
  expect(await evaluate(id)).toMatchObject({ decision: 'await-approval', reason: expect.stringContaining('cost is lower by 50') });
  await sql.query(`update autoflow.rollouts set proved_at = now() - interval '2 days' where id = $1`, [id]);
  expect(await evaluate(id)).toMatchObject({ decision: 'await-approval' });
  await sql.query(`update autoflow.rollouts set proved_at = now() - interval '4 days' where id = $1`, [id]);
  expect(await evaluate(id)).toMatchObject({
    decision: 'abort',
    reason: expect.stringMatching(
      /^nobody promoted it within 3 days \(approvalDays\) of its proof, pauses and freezes left out: cost is lower by 50/,
    ),
  });
  await change({ autonomy: 'auto' });
  expect(await evaluate(id)).toMatchObject({ decision: 'promote' });
});

test('what is not decided in its time is aborted: it may be tried again, which what was taken back may not', async () => {
  await change({ autonomy: 'canary', spendCapUsd: null, approvalDays: null });
  const id = await canary(1);
  expect(await evaluate(id)).toMatchObject({ decision: 'continue' });
  await sql.query(`update autoflow.rollouts set settings = (settings::jsonb || '{"maximumMs": 1000}')::json where id = $1`, [id]);
  const { decision, reason } = await evaluate(id);
  expect([decision, reason]).toEqual(['abort', expect.stringMatching(/^not decided in the time it had: /)]);
  await store.rollouts.end({ id, outcome: 'aborted', by: { ...by, reason } });
  expect(await store.rollouts.takenBack('orders', 'r1')).toEqual([]);
  await store.rollouts.end({ id: await canary(1), outcome: 'rolled-back', by });
  expect((await store.rollouts.takenBack('orders', 'r1')).map(({ version }) => version)).toEqual(['v2']);
});

test('the spend cap is of all canaries of a month, beyond what they are compared with', async () => {
  await change({ autonomy: 'canary', spendCapUsd: 10, approvalDays: null });
  expect(await evaluate(await canary(0.9))).toMatchObject({ decision: 'await-approval' });
  const before = await canary(0.9);
  await store.rollouts.end({ id: before, outcome: 'aborted', by });
  await store.rollouts.charge(before, { records: 9, share: 0.1, dead: 0, costUsd: 90, extraUsd: 11 });
  const id = await canary(0.9);
  expect(await evaluate(id)).toMatchObject({ decision: 'abort', reason: expect.stringContaining('Canaries have cost $11.0 more') });
  const start = () => Promise.reject(new Error('it is not to be started'));
  const row = { id: 'opt-1', pipeline: 'orders', registered: 'v2' };
  expect((await rollOut({ store, rollouts: { start } } as never, { row } as never)).decision).toMatchObject({
    code: 'NOT_ALLOWED',
    reason: expect.stringContaining('Canaries have cost $11.0 more'),
  });
  await change({ spendCapUsd: 12 });
  expect(await evaluate(id)).toMatchObject({ decision: 'await-approval' });
  // Its own is added: each of 298 batches costs a hundredth of a dollar more.
  const dear = await canary(1.01);
  expect(await activities.stepRollout({ rollout: dear, step: 1 })).toMatchObject({
    reason: expect.stringContaining('Canaries have cost $14.0 more'),
  });
});

test('what is warming up is not compared, but what it costs is charged', async () => {
  await change({ autonomy: 'canary', spendCapUsd: null, approvalDays: null });
  const id = await canary(0.5, { warmupMs: 100_000, warmupUsd: 100 });
  expect(await evaluate(id)).toMatchObject({ decision: 'await-approval', reason: expect.stringContaining('cost is lower by 50') });
  await store.rollouts.end({ id, outcome: 'aborted', by });
  await measured();
  await activities.chargeRollout({ rollout: id });
  const { harm } = (await store.rollouts.get(id))!;
  expect(harm).toMatchObject({ records: 2_980, share: 0.5, dead: 0 });
  // 100 batches of the warm-up and 198 others, instead of 298 for a dollar each.
  expect(harm!.costUsd).toBeCloseTo(100 * 100 + 198 * 0.5, 0);
  expect(harm!.extraUsd).toBeCloseTo(100 * 100 + 198 * 0.5 - 298, 0);
});

test('what is under way when it ends is waited for, and counts for the spend cap meanwhile', async () => {
  await change({ autonomy: 'canary', spendCapUsd: 10, approvalDays: null });
  await sql.query(`update autoflow.rollouts set harm = '{"extraUsd": 0}'`);
  const id = await canary(1.1);
  await store.rollouts.end({ id, outcome: 'aborted', by });
  await measured();
  const running = `${id}candidate297`;
  await sql.query(`update autoflow.batches set state = 'open', closed_at = null, completed = 0 where id = $1`, [running]);
  const charged = async () => {
    await activities.chargeRollout({ rollout: id });
    return (await store.rollouts.get(id))!.harm;
  };
  expect(await charged()).toBeUndefined();
  const start = () => Promise.reject(new Error('it is not to be started'));
  const row = { id: 'opt-2', pipeline: 'orders', registered: 'v2' };
  expect((await rollOut({ store, rollouts: { start } } as never, { row } as never)).decision).toMatchObject({
    code: 'NOT_ALLOWED',
    reason: expect.stringContaining('Canaries have cost $29.8 more'),
  });

  // All its records die, and each costs more than all before.
  await sql.query(`update autoflow.batches set state = 'closed', closed_at = now(), dead = 10 where id = $1`, [running]);
  await sql.query('update autoflow.invocations set cost_usd = 101.1 where batch_id = $1', [running]);
  expect(await charged()).toBeUndefined();
  await measured();
  const harm = (await charged())!;
  expect(harm).toMatchObject({ records: 2_980, dead: 10 });
  expect(harm.extraUsd).toBeCloseTo(29.8 + 100, 0);
  await change({ spendCapUsd: null });
});

test('what is still under way an hour after its end is not waited for', async () => {
  const id = await canary(1.1);
  await store.rollouts.end({ id, outcome: 'aborted', by });
  await measured();
  await sql.query(`update autoflow.batches set state = 'open', closed_at = null, completed = 0 where id = $1`, [`${id}candidate297`]);
  const older = async (minutes: number) => {
    const ms = minutes * 60_000;
    const steps = `jsonb_set(steps::jsonb, '{0,from}', to_jsonb((steps -> 0 ->> 'from')::float8 - $2::float8))::json`;
    await sql.query(
      `update autoflow.rollouts set ended_at = ended_at - $2::float8 * interval '1 ms', steps = ${steps}, totals = null where id = $1`,
      [id, ms],
    );
    await sql.query(`update autoflow.batches set opened_at = opened_at - $1::float8 * interval '1 ms'`, [ms]);
    await activities.chargeRollout({ rollout: id });
    return (await store.rollouts.get(id))!.harm !== undefined;
  };
  expect([await older(59), await older(2)]).toEqual([false, true]);
});

test('one whose function is removed from the code meanwhile is taken back', async () => {
  await change({ autonomy: 'canary' });
  const id = await canary(0.9);
  expect(await evaluate(id)).toMatchObject({ decision: 'await-approval' });
  const none = { ...spec, nodes: [] };
  const release = { pipeline: 'orders', hash: 'r2', spec: none };
  await store.definitions.registerRelease({ release, topology: { ...topology, stages: [] }, envelope: {}, allocation: {}, by });
  const gone = { decision: 'abort', reason: expect.stringContaining('the newest release has no parse any more') };
  expect(await evaluate(id)).toMatchObject(gone);
  expect(await activities.stepRollout({ rollout: id, step: 1 })).toMatchObject(gone);
});
