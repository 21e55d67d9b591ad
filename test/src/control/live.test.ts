/** The control of a live pipeline: its workflow, its hosts and its records, on real servers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { recordDigest } from '@autoflow/store';
import { allocationWorkflowId } from '@autoflow/workflows';
import { BY, startPlatform, topologyOf, untilRow, type Platform } from '../execution/platform.js';
import { PROGRAM } from './world.js';

const CHAIN = topologyOf(
  { 'measure+may-pass': [], perform: ['measure+may-pass'], 'weigh+store': ['perform'] },
  { batch: { records: 1, bytes: 1024 } },
);
const RECORDS = 60;

const stack = useTestStack();
let platform: Platform;
let version: string;
beforeAll(async () => {
  platform = await startPlatform(stack);
  const allocation = Object.fromEntries(CHAIN.stages.map(({ name }) => [name, { memoryMb: 512, concurrency: 1 }]));
  version = await platform.registerVersion(CHAIN, allocation);
  await platform.store.definitions.setStable({ pipeline: 'acts', version, by: BY });
  await platform.store.settings.change({
    pipeline: 'acts',
    change: { autonomy: 'auto', control: { mode: 'auto', intervalMs: 1_000 } },
    by: BY,
  });
  // Two hosts: a stage of one instance has it on one of them.
  await platform.startWorker(undefined, { controller: { program: PROGRAM } });
  await platform.startWorker(['functions', 'control'], { controller: { program: PROGRAM } });
});
afterAll(() => platform?.stop());

test('a surge is followed up by the hosts, and down again; every record has its outcome, once', async () => {
  await platform.store.inbox.accept({
    pipeline: 'acts',
    scope: 'live',
    records: Array.from({ length: RECORDS }, (_, n) => {
      const record = { id: `surge-${n}`, act: 'slow' };
      return { key: record.id, record, digest: recordDigest(record), bytes: 40 };
    }),
  });
  const perform = `pipeline = 'acts' and version = '${version}' and stage = 'perform'`;
  await untilRow(platform, `select 1 from autoflow.acknowledgements where ${perform} having sum(concurrency) >= 3`);
  await untilRow(platform, `select 1 from autoflow.records where key like 'surge-%' and state = 'completed' having count(*) = ${RECORDS}`);
  await untilRow(platform, `select 1 from autoflow.acknowledgements where ${perform} having sum(concurrency) = 1`);
  const { rows } = await platform.sql.query('select count(*)::int as sunk, sum(stored)::int as stored from sink');
  expect(rows).toEqual([{ sunk: RECORDS, stored: RECORDS }]);
  const changes = await platform.store.access.audit({ pipeline: 'acts', action: 'allocation.set', limit: 100 });
  expect(changes.every(({ actor }) => actor === 'autoflow/fallback' || actor === 'autoflow/agent')).toBe(true);
  expect(changes.some(({ reason }) => /perform 1 → \d+/.test(reason))).toBe(true);
});

test('switched off, the controller ends; switched on, it is there again', async () => {
  const handle = platform.client.workflow.getHandle(allocationWorkflowId('acts'));
  const { runId } = await handle.describe();
  const change = (mode: 'off' | 'shadow') =>
    platform.store.settings.change({ pipeline: 'acts', change: { control: { mode, intervalMs: 1_000 } }, by: BY });
  await change('off');
  await handle.result();
  await change('shadow');
  await untilRow(platform, `select 1 from autoflow.controls where pipeline = 'acts' and state ->> 'mode' = 'shadow'`);
  expect((await handle.describe()).runId).not.toBe(runId);
});
