import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { ROLLOUT_DEFAULTS } from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import { driftSince, expireDecisions } from './expiry.js';

const stack = useTestStack();
const HOUR_MS = 3_600_000;
let store: Store;
let sql: pg.Client;
let now: number;
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  now = await store.comparisons.clock();
});
afterAll(async () => {
  await sql.end();
  await store.close();
});

/** An hour of batches, one a minute, each a little different. */
const hour = (pipeline: string, until: number, records: number) =>
  sql.query(
    `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, filtered, opened_at)
     select $1 || $2 || i, $1, 'v1', 'r', 'live', 'e', json_build_object('bytes', 200 * n), '{}', 'stable', n, n - n / 4, n / 4,
            to_timestamp(($2::float8 - 60000 * i) / 1000)
       from generate_series(1, 59) i, lateral (select $3::int + i % 7 as n) of`,
    [pipeline, until, records],
  );

test.each<[string, number, string[]]>([
  ['changes a little', 110, []],
  ['is four times as much', 400, ['rate is 3.9']],
  ['is a fifth', 20, ['rate is 0.2']],
])('a decision for 100 records a minute, and a workload that %s', async (pipeline, after, reasons) => {
  const decided = now - 5 * HOUR_MS;
  await hour(pipeline, decided, 100);
  await hour(pipeline, now, after);
  const found = await driftSince({ pipeline, endedAt: new Date(decided) }, store);
  expect(found).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
});

test('before there is a whole hour since, nothing is said', async () => {
  await hour('young', now - HOUR_MS / 2, 100);
  await hour('young', now, 900);
  expect(await driftSince({ pipeline: 'young', endedAt: new Date(now - HOUR_MS / 2) }, store)).toEqual([]);
});

test('a version whose workload has drifted expires once, and is optimized for once, as soon as that may be', async () => {
  const by = { actor: 'tester', reason: 'because' };
  const stage = { name: 'parse', nodes: ['parse'], after: [], partitions: 1 };
  const topology = { stages: [stage], batch: { records: 1, bytes: 1024 }, lingerMs: 0 };
  const envelope = { parse: { memoryMb: [128], concurrency: { min: 1, max: 1 } } };
  const about = { topology, envelope, allocation: { parse: { memoryMb: 128, concurrency: 1 } }, by };
  const nodes = [{ id: 'parse', name: 'parse' }] as never;
  const spec = { key: 'id', input: ['id'], output: ['id'], nodes, resources: [], schemas: { input: {}, output: {} } };
  for (const pipeline of ['broken', 'orders']) {
    await store.definitions.registerRelease({ release: { pipeline, hash: `r-${pipeline}`, spec: { ...spec, name: pipeline } }, ...about });
    const batching = { ...topology, batch: { records: 7, bytes: 1024 } };
    await store.definitions.registerVersion({ pipeline, hash: `h-${pipeline}`, release: `r-${pipeline}`, ...about, topology: batching });
    const id = `ro-${pipeline}`;
    await store.rollouts.create({ id, pipeline, version: 'v2', own: true, settings: ROLLOUT_DEFAULTS }, by);
    await store.rollouts.end({ id, outcome: 'promoted', by });
  }
  const decided = now - 5 * HOUR_MS;
  await sql.query(`update autoflow.rollouts set ended_at = to_timestamp($1::float8 / 1000)`, [decided]);
  await hour('orders', decided, 100);
  await hour('orders', now, 400);

  const logged: string[] = [];
  const client = new Client({ connection: Connection.lazy({ address: stack.temporal.address }), namespace: stack.temporal.namespace });
  const log = (_: string, what: string, of: object) => void logged.push(`${'pipeline' in of ? String(of.pipeline) : ''}: ${what}`);
  const workload: Store['comparisons']['workload'] = async (query) =>
    query.pipeline === 'broken' ? Promise.reject(new Error('it broke')) : store.comparisons.workload(query);
  const ports = { store: { ...store, comparisons: { ...store.comparisons, workload } }, client, log, optimizes: true };
  const optimization = client.workflow.getHandle(optimizationWorkflowId('opt-expired-ro-orders'));

  await store.settings.change({ pipeline: 'orders', change: { autonomy: 'off' }, by });
  await expireDecisions(ports);
  await expect(optimization.describe()).rejects.toThrow(/not found/);
  await store.settings.change({ pipeline: 'orders', change: { autonomy: 'suggest' }, by });
  await expireDecisions(ports);
  const { runId, type } = await optimization.describe();
  expect(type).toBe(OPTIMIZATION_WORKFLOW);
  await expireDecisions(ports);
  await optimization.terminate('of no more use');
  await store.optimizations.create({ id: 'opt-expired-ro-orders', pipeline: 'orders', request: { dryRun: false } }, by);
  await expireDecisions(ports);
  expect((await optimization.describe()).runId).toBe(runId);

  expect((await store.definitions.statuses('orders', 'v2')).filter(({ status }) => status === 'expired')).toHaveLength(1);
  expect(new Set(logged)).toEqual(new Set(['broken: whether a workload has drifted could not be told', 'orders: a decision has expired']));
});
