import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease } from '@autoflow/function-host';
import { freePort } from '@autoflow/local-stack';
import { useTestStack } from '@autoflow/local-stack/testing';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { LEASE_MS } from '@autoflow/store';
import { BY, jsonl, startBackfill, startPlatform, untilRow, type Platform } from '../execution/platform.js';
import { databaseTime, dividedAfter, watchDivisions, type Division } from './divisions.js';
import { CONCURRENCY, PER_SECOND } from './metered.js';

const WORKER = fileURLToPath(new URL('../../../apps/worker/dist/main.js', import.meta.url));
const [WHILE_JOINING, WHILE_KILLED] = [60, 120];
const RECORDS = WHILE_JOINING + WHILE_KILLED;
const KILL_AFTER = WHILE_JOINING + 50;
/** Of a change among the hosts, until limits are divided among those that are left: asserted by `npm run test:faults`. */
const WITHIN_S = 5;
const INSTANCES = { name: 'gate/metered/v1/ask', limit: CONCURRENCY };
/** As the hosts say that they run them. */
const POOLS = { name: 'pool/metered/ask', limit: CONCURRENCY };
const RATE = { name: 'rate/metered/service', limit: PER_SECOND };
/** Workflows and control on the first two: what is killed later runs functions only, and no sticky queue has to time out. */
const ROLES = ['workflows,control,feeder,functions', 'workflows,functions', 'functions'];

const stack = useTestStack();
const workers: ChildProcess[] = [];
let metricsAddress: string;
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform(stack);
  await platform.sql.query(`
    create table uses (n serial primary key, id text, host int, began_at timestamptz not null default clock_timestamp(), ended_at timestamptz);
    create table kept (key text primary key, id text, answer text)`);
  const release = await buildRelease(fileURLToPath(new URL('metered.ts', import.meta.url)), platform.options.releases);
  const spec = release.specs[0]!;
  const topology = asWritten(spec);
  const envelope = defaultEnvelope(spec, topology);
  const allocation = defaultAllocation(spec, topology, envelope);
  await platform.store.definitions.registerRelease({
    release: { pipeline: spec.name, hash: release.hash, spec },
    topology,
    envelope,
    allocation: { ...allocation, ask: { memoryMb: 128, concurrency: CONCURRENCY }, keep: { memoryMb: 128, concurrency: 1 } },
    by: BY,
  });
  await watchDivisions(platform.sql);
  metricsAddress = `127.0.0.1:${await freePort(9464)}`;
  workers.push(...(await Promise.all(ROLES.slice(0, 2).map((roles, i) => startWorker(`worker-${i + 1}`, roles)))));
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await platform?.stop();
});

async function startWorker(host: string, roles: string): Promise<ChildProcess> {
  const { databaseUrl, releases, temporal } = platform.options;
  const worker = fork(WORKER, {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TEMPORAL_CONFIG_FILE: process.env['TEMPORAL_CONFIG_FILE'],
      AUTOFLOW_RELEASES: releases,
      AUTOFLOW_BATCHES: `file:${join(stack.folder, 'batches')}`,
      AUTOFLOW_HOST: host,
      AUTOFLOW_ROLES: roles,
      ...(host === 'worker-1' && { AUTOFLOW_METRICS_ADDRESS: metricsAddress }),
      AUTOFLOW_SECRET_TEST_DATABASE_URL: databaseUrl,
    },
    // Not those of the test runner: this is the built program.
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [worker.stdout!, worker.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => Promise.reject(new Error(`${host} ended before it took work:\n${said}`))),
  ]);
  return worker;
}

/** Waits until the limits are divided among exactly these hosts, and tells how long after `since` they were by the database's clock. */
async function divided(change: string, limits: readonly Omit<Division, 'hosts'>[], hosts: readonly string[], since: number): Promise<void> {
  for (const limit of limits) {
    const after = () => dividedAfter(platform.sql, { ...limit, hosts }, since);
    await vi.waitFor(async () => expect(await after(), limit.name).toBeDefined(), { timeout: 30_000 });
    console.log(`${change}: ${limit.name} divided among ${hosts.join(', ')} after ${(await after())!.toFixed(2)} s`);
    if (inject('assertTimes')) expect(await after(), `seconds after ${change}`).toBeLessThanOrEqual(WITHIN_S);
  }
}

/** Instances of a stage that all hosts together may run. */
async function running(stage: string): Promise<number> {
  const pools = (await platform.store.fleet.hosts()).flatMap((host) => host.pools);
  return pools.filter((pool) => pool.pipeline === 'metered' && pool.stage === stage).reduce((sum, { concurrency }) => sum + concurrency, 0);
}

async function secondsOf(query: string): Promise<number> {
  const { rows } = await platform.sql.query<{ at: number }>(`select extract(epoch from at)::float8 as at from (${query}) x`);
  return rows[0]!.at;
}

/** Times at which a use was under way by the account of the use itself, of those that ended; seconds. */
async function uses(): Promise<{ began: number; ended: number | null; host: number }[]> {
  const { rows } = await platform.sql.query<{ began: number; ended: number | null; host: number }>(
    'select extract(epoch from began_at)::float8 as began, extract(epoch from ended_at)::float8 as ended, host from uses order by began_at',
  );
  return rows;
}

test('workers share the limits: one joins, one is killed, and every record still has one outcome', { timeout: 180_000 }, async () => {
  const feed = async (id: string, count: number) => {
    const source = await jsonl(
      stack.folder,
      id,
      Array.from({ length: count }, (_, i) => ({ id: `${id}-${i}` })),
    );
    return startBackfill(platform, { id, pipeline: 'metered', batchRecords: 4, concurrency: 10, source });
  };
  const joining = await feed('joining', WHILE_JOINING);
  workers.push(await startWorker('worker-3', ROLES[2]!));
  const joinedAt = await secondsOf(`select at from autoflow.events where type = 'host.joined' and data ->> 'host' = 'worker-3'`);
  await divided('a worker joined', [INSTANCES, POOLS], ['worker-1', 'worker-2', 'worker-3'], joinedAt);
  // One instance of three hosts: a limit smaller than the fleet is nobody's twice.
  await vi.waitFor(async () => expect(await running('keep')).toBe(1), { timeout: 20_000 });

  const killed = await feed('killed', WHILE_KILLED);
  await untilRow(platform, `select from uses where n >= ${KILL_AFTER}`);
  await untilRow(platform, `select from uses where host = ${workers[2]!.pid}`);
  const killedAt = await databaseTime(platform.sql);
  workers[2]!.kill('SIGKILL');
  const seenAt = await secondsOf(`select seen_at as at from autoflow.hosts where host = 'worker-3'`);
  await divided('a worker was killed', [INSTANCES, POOLS, RATE], ['worker-1', 'worker-2'], killedAt);
  const lost = await secondsOf(`select at from autoflow.events where type = 'host.lost'`);
  console.log(
    `its lease was over ${(seenAt + LEASE_MS / 1000 - killedAt).toFixed(2)} s after the kill, and seen to be after ${(lost - killedAt).toFixed(2)} s`,
  );

  for (const [handle, count] of [
    [joining, WHILE_JOINING],
    [killed, WHILE_KILLED],
  ] as const)
    expect((await handle.result()).counts).toEqual({ completed: count, filtered: 0, dead: 0, cancelled: 0 });
  expect(await platform.store.ledger.openBatches({ pipeline: 'metered' })).toEqual([]);
  const { rows } = await platform.sql.query('select count(*)::int as rows, count(distinct id)::int as records from kept');
  expect(rows).toEqual([{ rows: RECORDS, records: RECORDS }]);

  const all = await uses();
  expect(new Set(all.map(({ host }) => host)), 'each of them worked').toEqual(new Set(workers.map(({ pid }) => pid)));
  const ended = all.filter((use) => use.ended !== null);
  const overlap = Math.max(...ended.map(({ began }) => ended.filter((other) => other.began <= began && began < other.ended!).length));
  expect(overlap).toBeLessThanOrEqual(CONCURRENCY);
  // A delay can only make it take longer, but for one of the very first use: a share of burst is allowed for.
  const seconds = all.at(-1)!.began - all[0]!.began;
  console.log(`${all.length} uses in ${seconds.toFixed(1)} s: ${(all.length / seconds).toFixed(1)} of ${PER_SECOND}/s`);
  expect(all.length).toBeLessThanOrEqual(PER_SECOND * seconds + PER_SECOND / 3);

  const metrics = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  for (const line of [
    /^autoflow_pool_concurrency\{.*pipeline="metered".*stage="ask".*\} [23]$/m,
    /^autoflow_invocations_total\{.*outcome="ok".*stage="ask".*\} [1-9]/m,
    /^autoflow_invocation_milliseconds_bucket\{/m,
    new RegExp(`^autoflow_feeder_records_total\\{.*pipeline="metered".*\\} ${RECORDS}$`, 'm'),
    /^temporal_worker_task_slots_available\{/m,
  ])
    expect(metrics).toMatch(line);

  const leftAt = await databaseTime(platform.sql);
  const stopped = workers.slice(0, 2).map((worker) => once(worker, 'exit'));
  workers[1]!.kill('SIGTERM');
  await divided('a worker was told to stop', [INSTANCES, POOLS], ['worker-1'], leftAt);
  workers[0]!.kill('SIGTERM');
  expect(await Promise.all(stopped)).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(await platform.store.fleet.hosts()).toEqual([]);
});
