import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import {
  ROLLOUT_DEFAULTS,
  type OptimizationInput,
  type OptimizationStep,
  type OptimizationStop,
  type RolloutOutcome,
} from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import { driftSince } from './drifting.js';
import { expireDecisions } from './expiry.js';

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

const DAY_MS = 24 * HOUR_MS;
/** Three hours of batches, one a minute, each a little different. */
const HOURS = 3;
const hours = (pipeline: string, until: number, records: number) =>
  sql.query(
    `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, filtered, opened_at)
     select $1 || $2 || i, $1, 'v1', 'r', 'live', 'e', json_build_object('bytes', 200 * n), '{}', 'stable', n, n - n / 4, n / 4,
            to_timestamp(($2::float8 - 60000 * i) / 1000)
       from generate_series(1, 60 * ${HOURS} - 1) i, lateral (select $3::int + i % 7 as n) of`,
    [pipeline, until, records],
  );

test.each<[string, number, string[]]>([
  ['changes a little', 110, []],
  ['is four times as much', 400, ['rate is 3.9']],
  ['is a fifth', 20, ['rate is 0.2']],
])('a decision for 100 records a minute, and a workload that %s at the same hours two days later', async (pipeline, after, reasons) => {
  const decided = now - 2 * DAY_MS;
  await hours(pipeline, decided, 100);
  await hours(pipeline, now, after);
  const found = await driftSince({ pipeline, at: new Date(decided) }, store);
  expect(found.reasons).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
  expect(
    found.reasons.filter((reason) => !reason.endsWith(', in 3.0 hours of the last day beside the same ones before the decision')),
  ).toEqual([]);
});

test('of hours in which nothing had come before the decision nothing is said, nor of the first two since', async () => {
  const decided = now - 2 * DAY_MS;
  await hours('other-hours', decided, 100);
  for (let ago = 0; ago < 24; ago += HOURS) await hours('other-hours', now - ago * HOUR_MS, ago === 0 ? 110 : 9_000);
  expect(await driftSince({ pipeline: 'other-hours', at: new Date(decided) }, store)).toEqual({ reasons: [] });
  await hours('young', now - 1.9 * HOUR_MS - DAY_MS, 100);
  await hours('young', now - 1.9 * HOUR_MS - DAY_MS + HOURS * HOUR_MS, 100);
  await hours('young', now, 400);
  expect(await driftSince({ pipeline: 'young', at: new Date(now - 1.9 * HOUR_MS) }, store)).toEqual({ reasons: [] });
});

test('a decision goes on with the next release, expires once, and is made anew until there is an answer', async () => {
  const by = { actor: 'tester', reason: 'because' };
  const stage = { name: 'parse', nodes: ['parse'], after: [], partitions: 1 };
  const topology = { stages: [stage], batch: { records: 1, bytes: 1024 }, lingerMs: 0 };
  const envelope = { parse: { memoryMb: [128], concurrency: { min: 1, max: 1 } } };
  const about = { topology, envelope, allocation: { parse: { memoryMb: 128, concurrency: 1 } }, by };
  const nodes = [{ id: 'parse', name: 'parse' }] as never;
  const spec = { key: 'id', input: ['id'], output: ['id'], nodes, resources: [], schemas: { input: {}, output: {} } };
  for (const pipeline of ['broken', 'orders']) {
    const release = { pipeline, hash: `r-${pipeline}`, spec: { ...spec, name: pipeline } };
    await store.definitions.registerRelease({ release, ...about });
    const batching = { ...about, topology: { ...topology, batch: { records: 7, bytes: 1024 } } };
    await store.definitions.registerVersion({ pipeline, hash: `h-${pipeline}`, release: `r-${pipeline}`, ...batching });
    const id = `ro-${pipeline}`;
    await store.rollouts.create({ id, pipeline, version: 'v2', own: true, settings: ROLLOUT_DEFAULTS }, by);
    await store.rollouts.end({ id, outcome: 'promoted', by });
    await store.definitions.registerRelease({ release: { ...release, hash: `r2-${pipeline}` }, ...batching });
    await store.definitions.setStable({ pipeline, version: 'v3', by });
  }
  const decided = now - 2 * DAY_MS;
  await sql.query(`update autoflow.version_statuses set at = to_timestamp($1::float8 / 1000) where version = 'v2'`, [decided]);
  await hours('orders', decided, 100);
  await hours('orders', now, 400);

  const logged: string[] = [];
  const client = new Client({ connection: Connection.lazy({ address: stack.temporal.address }), namespace: stack.temporal.namespace });
  const log = (_: string, what: string, of: object = {}) => void logged.push(`${'pipeline' in of ? String(of.pipeline) : ''}: ${what}`);
  const workload: Store['comparisons']['workload'] = async (query) =>
    query.pipeline === 'broken' ? Promise.reject(new Error('it broke')) : store.comparisons.workload(query);
  const ports = { store: { ...store, comparisons: { ...store.comparisons, workload } }, client, log, optimizes: true };
  let decision = (await store.decisions.current('orders'))!;
  expect(decision.at.getTime()).toBe(Math.floor(decided));
  const id = (attempt: number) => `opt-expired-${decision.id}-${attempt}`;
  const attempt = (n: number) => client.workflow.getHandle(optimizationWorkflowId(id(n)));
  const changedAt = async (n: number) => {
    const { events } = await attempt(n).fetchHistory();
    const [input] = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads!;
    return defaultPayloadConverter.fromPayload<OptimizationInput>(input!).request.changedAt!;
  };
  /** What its workflow would do, were there a worker. */
  const ends = async (
    n: number,
    step: OptimizationStep,
    code: OptimizationStop | undefined,
    set: { registered?: string; rollout?: string } = {},
  ) => {
    await attempt(n).terminate('by hand');
    const decision = { step, ...(code === undefined ? { verdict: 'go-on' as const } : { verdict: 'stop' as const, code }), reason: 'so' };
    await store.optimizations.finishStep(id(n), { decision, set });
    await store.optimizations.close(id(n), { state: 'completed', reason: `it came to ${code ?? 'a rollout'}` }, by);
  };
  const rollsOut = async (n: number, outcome: RolloutOutcome) => {
    const rollout = { id: `ro-${n}`, pipeline: 'orders', version: 'v4', own: true, settings: ROLLOUT_DEFAULTS };
    await store.rollouts.create(rollout, by);
    await ends(n, 'roll-out', undefined, { registered: 'v4', rollout: rollout.id });
    await expireDecisions(ports);
    await isNotThere(n + 1);
    await store.rollouts.end({ id: rollout.id, outcome, by });
  };
  const hoursAgo = (n: number, hours: number) =>
    sql.query(`update autoflow.optimizations set ended_at = ended_at - $2 * interval '1 hour' where id = $1`, [id(n), hours]);
  const begins = async (n: number) => {
    const { runId, type } = await attempt(n).describe();
    expect(type).toBe(OPTIMIZATION_WORKFLOW);
    await store.optimizations.create({ id: id(n), pipeline: 'orders', request: { dryRun: false } }, by);
    await expireDecisions(ports);
    expect((await attempt(n).describe()).runId).toBe(runId);
  };
  const isNotThere = (n: number) => expect(attempt(n).describe()).rejects.toThrow(/not found/);

  await store.settings.change({ pipeline: 'orders', change: { autonomy: 'off' }, by });
  await expireDecisions(ports);
  await isNotThere(1);
  await store.settings.change({ pipeline: 'orders', change: { autonomy: 'suggest' }, by });
  await expireDecisions(ports);
  await begins(1);
  // All of the hours that are known are as it is now.
  expect(Math.abs((await changedAt(1)) - (now - HOURS * HOUR_MS))).toBeLessThan(0.2 * HOUR_MS);

  await ends(1, 'fit', 'DRIFTING');
  await expireDecisions(ports);
  await isNotThere(2);
  await hoursAgo(1, 1);
  await expireDecisions(ports);
  await begins(2);
  expect(await changedAt(2)).toBe((await store.optimizations.get(id(1)))!.endedAt!.getTime());

  // What waits for a person does so until AutoFlow may do it by itself.
  const third = { ...topology, batch: { records: 9, bytes: 1024 } };
  await store.definitions.registerVersion({ pipeline: 'orders', hash: 'third', release: 'r2-orders', ...about, topology: third });
  await ends(2, 'roll-out', 'NOT_ALLOWED', { registered: 'v4' });
  await hoursAgo(2, 3);
  await expireDecisions(ports);
  await isNotThere(3);
  await store.settings.change({ pipeline: 'orders', change: { autonomy: 'canary' }, by });
  await expireDecisions(ports);
  await begins(3);

  // An outage, a cap, or a time that was too short has shown nothing.
  await rollsOut(3, 'aborted');
  await hoursAgo(3, 5);
  await expireDecisions(ports);
  await begins(4);
  await rollsOut(4, 'failed');
  await hoursAgo(4, 9);
  await expireDecisions(ports);
  await begins(5);

  await rollsOut(5, 'rolled-back');
  await expireDecisions(ports);
  await isNotThere(6);
  const kept = (await store.decisions.current('orders'))!;
  expect(kept).not.toHaveProperty('expiredAt');
  expect(kept.id).not.toBe(decision.id);
  const statuses = await store.definitions.statuses('orders', 'v3');
  expect(statuses.map(({ status }) => status)).toEqual(['registered', 'stable', 'expired', 'stable']);
  expect(statuses.at(-1)).toMatchObject({ actor: `optimizer/${id(5)}`, reason: 'it came to a rollout' });
  expect((await store.rollouts.takenBack('orders', 'r2-orders')).map(({ version }) => version)).toEqual(['v4']);

  // Decided anew, it expires anew; nothing better is an answer, too.
  await store.decisions.expire('orders', 'v3', by);
  expect(await store.rollouts.takenBack('orders', 'r2-orders')).toEqual([]);
  decision = (await store.decisions.current('orders'))!;
  await expireDecisions(ports);
  await begins(1);
  await ends(1, 'propose', 'NOTHING_BETTER');
  await expireDecisions(ports);
  await isNotThere(2);
  expect((await store.definitions.statuses('orders', 'v3')).at(-1)).toMatchObject({
    status: 'stable',
    reason: 'it came to NOTHING_BETTER',
  });
  expect(new Set(logged)).toEqual(new Set(['broken: whether a workload has drifted could not be told', 'orders: a decision has expired']));
});
