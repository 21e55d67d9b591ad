import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease } from '@autoflow/function-host';
import { freePort } from '@autoflow/local-stack';
import { useTestStack } from '@autoflow/local-stack/testing';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BY, jsonl, startBackfill, startPlatform, untilRow, type Platform } from '../execution/platform.js';
import { CONCURRENCY, PER_SECOND } from './metered.js';

const WORKER = fileURLToPath(new URL('../../../apps/worker/dist/main.js', import.meta.url));
const RECORDS = 120;
const KILL_AFTER = 50;
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
  metricsAddress = `127.0.0.1:${await freePort(9464)}`;
  workers.push(...(await Promise.all(ROLES.map((roles, i) => startWorker(`worker-${i + 1}`, roles)))));
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

/** What each host may run of a stage at this moment. */
const sharesOf = async (stage: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await platform.store.fleet.hosts()).map(({ host, pools }) => [
      host,
      pools.filter((pool) => pool.pipeline === 'metered' && pool.stage === stage).reduce((sum, { concurrency }) => sum + concurrency, 0),
    ]),
  );
const sum = (shares: Record<string, number>): number => Object.values(shares).reduce((a, b) => a + b, 0);

/** Times at which a use was under way by the account of the use itself, of those that ended; seconds. */
async function uses(): Promise<{ began: number; ended: number | null; host: number }[]> {
  const { rows } = await platform.sql.query<{ began: number; ended: number | null; host: number }>(
    'select extract(epoch from began_at)::float8 as began, extract(epoch from ended_at)::float8 as ended, host from uses order by began_at',
  );
  return rows;
}

test('three workers share the limits; one is killed, and every record still has one outcome', { timeout: 180_000 }, async () => {
  await vi.waitFor(
    async () => {
      const shares = await sharesOf('ask');
      expect([Object.keys(shares), Object.values(shares).toSorted(), sum(await sharesOf('keep'))]).toEqual([
        ['worker-1', 'worker-2', 'worker-3'],
        [1, 2, 2],
        1,
      ]);
    },
    { timeout: 20_000 },
  );

  const records = Array.from({ length: RECORDS }, (_, i) => ({ id: `r${i}` }));
  const source = await jsonl(stack.folder, 'records', records);
  const handle = await startBackfill(platform, { id: 'three', pipeline: 'metered', batchRecords: 4, concurrency: 10, source });
  await untilRow(platform, `select from uses where n >= ${KILL_AFTER}`);
  workers[2]!.kill('SIGKILL');
  expect((await handle.result()).counts).toEqual({ completed: RECORDS, filtered: 0, dead: 0, cancelled: 0 });
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

  await vi.waitFor(
    async () => {
      const shares = await sharesOf('ask');
      expect([Object.keys(shares), Object.values(shares).toSorted()]).toEqual([
        ['worker-1', 'worker-2'],
        [2, 3],
      ]);
    },
    { timeout: 20_000 },
  );
  const metrics = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  for (const line of [
    /^autoflow_pool_concurrency\{.*pipeline="metered".*stage="ask".*\} [23]$/m,
    /^autoflow_invocations_total\{.*outcome="ok".*stage="ask".*\} [1-9]/m,
    /^autoflow_invocation_milliseconds_bucket\{/m,
    /^autoflow_feeder_records_total\{.*pipeline="metered".*\} 120$/m,
    /^temporal_worker_task_slots_available\{/m,
  ])
    expect(metrics).toMatch(line);
  const stopped = workers.slice(0, 2).map((worker) => once(worker, 'exit'));
  for (const worker of workers.slice(0, 2)) worker.kill('SIGTERM');
  expect(await Promise.all(stopped)).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(await platform.store.fleet.hosts()).toEqual([]);
});
