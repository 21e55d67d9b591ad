/** `autoflow load` against ingest and the control plane, with a stand-in for the feeder that takes back whatever waits. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@autoflow/client';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { createIngest, type Ingest } from '@autoflow/ingest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { specOf } from '@autoflow/pipeline';
import { retailOrders } from '@autoflow/retail-orders';
import { openStore, type Store } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../../apps/cli/bin/autoflow.mjs', import.meta.url));
const stack = useTestStack();
let store: Store;
let connection: Connection;
let controlPlane: ControlPlane;
let ingest: Ingest;
let token: string;

beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  connection = await Connection.connect({ address: stack.temporal.address });
  const temporal = new Client({ connection, namespace: stack.temporal.namespace });
  controlPlane = await createControlPlane({ store, temporal });
  ingest = await createIngest({ store, temporal });
  token = await store.access.createToken('admin', 'admin');
  await createClient({ url: controlPlane.url, token }).pipelines.register({ spec: specOf(retailOrders), release: 'a'.repeat(64) });
});
afterAll(async () => {
  await ingest.close();
  await controlPlane.close();
  await connection.close();
  await store.close();
});

function load(...args: string[]) {
  const all = [PROGRAM, 'load', 'retail-orders', '--json', '--api', controlPlane.url, '--ingest', ingest.url, '--token', token, ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), new Promise((resolve) => child.once('exit', resolve))]);
  return {
    child,
    ended: ended.then(([stdout, stderr, code]) => ({ code, stderr, report: JSON.parse(stdout || '{}') as Record<string, never> })),
  };
}

/** Gives every record that waits an outcome, until it is stopped. */
function takeBack(): { stop(): Promise<void> } {
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) {
      const scopes = await store.feeder.streams();
      for (const { scope } of scopes)
        for (const { key } of await store.inbox.list({ pipeline: 'retail-orders', scope, limit: 500 }))
          await store.inbox.cancel('retail-orders', key, { actor: 'test', reason: 'a test' }, scope);
      await delay(20);
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

test('sends the trace, measures from the intended arrival, and accounts for every record', async () => {
  const feeder = takeBack();
  const { report, stderr } = await load('--rate', '60/s', '--duration', '2s', '--trace', 'constant', '--drain', '30s').ended;
  await feeder.stop();
  expect([report, stderr]).toMatchObject([
    {
      offered: 120,
      accepted: 120,
      refused: 0,
      failed: 0,
      outcomes: { cancelled: 120 },
      unfinished: 0,
      trace: 'constant',
      scope: expect.stringMatching(/^load-/),
    },
    expect.any(String),
  ]);
  const { latency } = report as unknown as { latency: { count: number; p50: number } };
  expect(latency).toMatchObject({ count: 120 });
  expect(latency.p50).toBeGreaterThan(0);
});

test('Ctrl-C ends it, with the figures of what was sent', async () => {
  const { child, ended } = load('--rate', '50/s', '--duration', '10m');
  while ((await store.feeder.streams()).length === 0) await delay(20);
  child.kill('SIGINT');
  const { code, report } = await ended;
  expect([code, report['interrupted']]).toEqual([1, true]);
  expect(Number(report['unfinished'])).toBe(Number(report['accepted']));
});
