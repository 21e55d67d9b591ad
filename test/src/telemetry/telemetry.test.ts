/** The built programs with traces on: a trace goes all the way, nothing sensitive leaves by any door, and a dead collector stops nobody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createClient, createIngestClient, type AutoFlowClient, type IngestClient } from '@autoflow/client';
import { buildRelease } from '@autoflow/function-host';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replayer } from '../determinism/replay.js';
import { FaultyProcess } from '../faults/processes.js';
import { startCollector, type Collector, type ReceivedSpan } from './collector.js';

const PROGRAMS = (app: string) => fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));
const CLI = fileURLToPath(new URL('../../../apps/cli/bin/autoflow.mjs', import.meta.url));
const SECRET = 'DE02-PLANTED-IBAN';
const IDENTITY = { actor: 'test', reason: 'a test' };

const stack = useTestStack();
let collector: Collector;
let store: Store;
let sql: pg.Pool;
let connection: Connection;
let temporal: Client;
let processes: { readonly [name in 'worker' | 'ingest' | 'control-plane']: FaultyProcess };
let said: () => string;
let token: string;
let urls: { readonly ingest: string; readonly api: string };
let ingest: IngestClient;
let api: AutoFlowClient;

beforeAll(async () => {
  collector = await startCollector();
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
  sql.on('error', () => undefined);
  connection = await Connection.connect({ address: stack.temporal.address });
  temporal = new Client({ connection, namespace: stack.temporal.namespace });
  token = await store.access.createToken('admin', 'admin');
  await register();
  const everything: string[] = [];
  const program = (name: string, more: NodeJS.ProcessEnv = {}) =>
    new FaultyProcess({ name, file: PROGRAMS(name), env: { ...environment(), ...more } }, (line) => everything.push(line));
  processes = {
    worker: program('worker'),
    ingest: program('ingest', { AUTOFLOW_INGEST_PORT: '0' }),
    'control-plane': program('control-plane', { AUTOFLOW_API_PORT: '0' }),
  };
  said = () => everything.join('');
  const [, at, apiAt] = await Promise.all(Object.values(processes).map((each) => each.start()));
  urls = { ingest: (at as { url: string }).url, api: (apiAt as { url: string }).url };
  ingest = createIngestClient({ url: urls.ingest, token });
  api = createClient({ url: urls.api, token });
});
afterAll(async () => {
  await Promise.all(Object.values(processes ?? {}).map((each) => each.kill()));
  await connection?.close();
  await store?.close();
  await sql?.end();
  await collector?.close();
});

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporal.address,
    TEMPORAL_NAMESPACE: stack.temporal.namespace,
    TEMPORAL_CONFIG_FILE: process.env['TEMPORAL_CONFIG_FILE'],
    AUTOFLOW_RELEASES: join(stack.folder, 'releases'),
    AUTOFLOW_BATCHES: `file:${join(stack.folder, 'batches')}`,
    AUTOFLOW_LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
}

async function register(): Promise<void> {
  const release = await buildRelease(fileURLToPath(new URL('accounts.ts', import.meta.url)), join(stack.folder, 'releases'));
  const spec = release.specs[0]!;
  const topology = asWritten(spec);
  const envelope = defaultEnvelope(spec, topology);
  const allocation = defaultAllocation(spec, topology, envelope);
  await store.definitions.registerRelease({
    release: { pipeline: spec.name, hash: release.hash, spec },
    topology,
    envelope,
    allocation,
    by: IDENTITY,
  });
}

/** The built command, in a process that traces too. */
async function autoflow(...args: readonly string[]): Promise<string> {
  const all = [CLI, ...args, '--api', urls.api, '--ingest', urls.ingest, '--token', token];
  const child = spawn(process.execPath, all, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return stdout + stderr;
}
const record = (id: string, act: string) => ({ id, act, iban: SECRET });
const states = async (...keys: readonly string[]) =>
  Promise.all(keys.map(async (key) => (await ingest.records.show('accounts', key)).state));
const named = (name: string): ReceivedSpan[] => collector.spans.filter((span) => span.name === name);

test('a trace goes from the command through ingest, feeder, execution and stages to the functions', async () => {
  await autoflow('submit', 'accounts', '--record', JSON.stringify(record('traced', 'pass')), '--wait');
  const above = (name: string): string[] => {
    const trace = collector.spans.filter(({ traceId }) => traceId === named('autoflow submit')[0]?.traceId);
    const path: string[] = [];
    for (let span = trace.find((each) => each.name === name); span !== undefined;) {
      path.unshift(`${span.service.replace('autoflow-', '')}: ${span.name}`);
      const { parentSpanId } = span;
      span = trace.find(({ spanId }) => spanId === parentSpanId);
    }
    return path;
  };
  // Each process sends its spans when it will.
  await expect
    .poll(() => above('function check'), { timeout: 20_000 })
    .toEqual([
      'cli: autoflow submit',
      'ingest: POST /v1/pipelines/:pipeline/records',
      'worker: feed accounts',
      'worker: StartWorkflow:accounts',
      'worker: RunWorkflow:accounts',
      'worker: StartActivity:check',
      'worker: RunActivity:check',
      'worker: function check',
    ]);
  expect(named('function check')).toHaveLength(1);
});

test('what was run with traces replays without', async () => {
  const [{ batchId }] = [await ingest.records.show('accounts', 'traced')];
  const { executionId } = (await store.ledger.batch(batchId!))!;
  const replay = await replayer();
  await replay(JSON.parse(historyToJSON(await temporal.workflow.getHandle(executionId).fetchHistory())));
});

test('a value of a sensitive field is in no log, trace, answer, event, dead letter or history', async () => {
  await ingest.records.submit('accounts', [record('p', 'pass'), record('f', 'fail'), record('c', 'crash')]);
  await expect.poll(() => states('p', 'f', 'c'), { timeout: 40_000 }).toEqual(['completed', 'dead', 'dead']);
  const [letters, { items: records }] = [await api.deadLetters.list('accounts'), await ingest.records.list('accounts')];
  const executions = await sql.query<{ id: string }>('select execution_id as id from autoflow.batches');
  const surfaces: { readonly [name: string]: unknown } = {
    'dead letters': [letters, await api.deadLetters.groups('accounts')],
    'each dead letter': await Promise.all(letters.items.map(({ id }) => api.deadLetters.show('accounts', id))),
    records,
    'each record': await Promise.all(records.map(({ key }) => ingest.records.show('accounts', key))),
    attempts: await Promise.all(records.map(({ key }) => ingest.records.attempts('accounts', key))),
    why: await Promise.all(records.map(({ key }) => ingest.records.why('accounts', key))),
    submitting: await ingest.records.submit('accounts', [record('p', 'pass'), { ...record('f', 'fail'), act: 'dance' }], { waitS: 1 }),
    metrics: await api.pipelines.metrics('accounts', { by: 'function' }),
    events: await api.events.list({ limit: 1000 }),
    audit: await api.audit({ limit: 1000 }),
    'the command': [
      await autoflow('records', 'list', 'accounts'),
      await autoflow('records', 'show', 'accounts', 'p', '--json'),
      await autoflow('dead-letters', 'list', 'accounts'),
      await autoflow('dead-letters', 'show', 'accounts', letters.items[0]!.id, '--json'),
      await autoflow('why', 'accounts', 'c'),
    ],
    measurements: (await sql.query('select * from autoflow.invocations')).rows,
    histories: await Promise.all(
      executions.rows.map(async ({ id }) => readable(historyToJSON(await temporal.workflow.getHandle(id).fetchHistory()))),
    ),
    traces: collector.bodies,
  };
  for (const [name, surface] of Object.entries(surfaces)) {
    const shown = JSON.stringify(surface);
    expect([name, shown.length > 20, shown.includes(SECRET)]).toEqual([name, true, false]);
  }
  // What was said with it is there, without it.
  for (const line of ['printed [redacted]', 'logged [redacted]']) await expect.poll(said).toContain(line);
  expect(JSON.stringify(surfaces['each dead letter'])).toContain('there is no account [redacted]');
  expect(JSON.stringify(surfaces['each dead letter'])).toContain('nobody catches [redacted]');
  expect(said()).not.toContain(SECRET);
});

test('a collector that takes everything and answers nothing holds nobody up', async () => {
  collector.hang();
  const before = collector.bodies.length;
  const { results } = await ingest.records.submit('accounts', record('late', 'pass'), { waitS: 60 });
  expect(results).toMatchObject([{ state: 'completed' }]);
  await expect.poll(() => collector.bodies.length, { timeout: 20_000 }).toBeGreaterThan(before);
  const after = Array.from({ length: 20 }, (_, n) => record(`late-${n}`, 'pass'));
  const more = await ingest.records.submit('accounts', after, { waitS: 60 });
  expect(new Set(more.results.map(({ state }) => state))).toEqual(new Set(['completed']));
  expect(await autoflow('records', 'show', 'accounts', 'late')).toContain('completed');
  // Nor does it keep a process from ending.
  expect(await processes.ingest.end()).toBe(0);
});

/** Payloads are base64. */
function readable(json: string): string {
  return json.replaceAll(/"data":\s*"([^"]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
}
