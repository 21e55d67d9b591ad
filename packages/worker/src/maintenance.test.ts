import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { openBatchStore, type BatchStore } from '@autoflow/store/batches';
import { startMaintenance } from './maintenance.js';

const stack = useTestStack();
const state = { index: 0, key: 'k', arrivedAt: new Date().toISOString(), fields: { id: 'k' } };
let store: Store;
let batches: BatchStore;
let sql: pg.Client;
const write = (batchId: string) => batches.write({ pipeline: 'p', batchId, label: 'input' }, [state]);
/** Of batch files, everything is older than minus one day. */
const maintain = () => startMaintenance({ store, batches, log: () => {} }, { batchDays: -1, meteringDays: 7 }).close();
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  batches = openBatchStore({ driver: 'file', folder: join(stack.folder, 'batches') });
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await batches.close();
  await store.close();
});

it('removes batch files after their retention, but never those of an open batch', async () => {
  const [old, open] = [await write('old'), await write('open')];
  await store.ledger.open({
    batch: { id: 'open', pipeline: 'p', version: 'v1', release: 'r', scope: 's', executionId: 'e', ref: open, memoryMb: {} },
    records: [state],
    replace: false,
  });
  await maintain();
  await expect(batches.read(old)).rejects.toMatchObject({ code: 'BATCH_MISSING' });
  expect(await batches.read(open)).toHaveLength(1);
});

it('drops no measurements before their day is in the ledger, for as long again as they are kept, and goes on with everything else', async () => {
  await promoted(20);
  const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  const [day, old] = [dayAgo(9), dayAgo(16)];
  for (const [from, to] of [
    [day, dayAgo(8)],
    [old, dayAgo(15)],
  ] as const)
    await sql.query(
      `create table autoflow.invocations_${from.replaceAll('-', '')} partition of autoflow.invocations for values from ('${from}Z') to ('${to}Z')`,
    );
  const isMeasured = async (which = day) => (await store.metering.days()).includes(which);
  const inLedger = async () => (await store.savings.days('orders', 0, Date.now())).length;
  await sql.query('alter table autoflow.savings_days add constraint refused check (false)');
  const file = await write('old');
  await maintain();
  expect([await isMeasured(), await isMeasured(old), await inLedger()]).toEqual([true, false, 0]);
  await expect(batches.read(file)).rejects.toMatchObject({ code: 'BATCH_MISSING' });

  await sql.query('alter table autoflow.savings_days drop constraint refused');
  await maintain();
  expect([await isMeasured(), await inLedger()]).toEqual([false, 1]);
});

async function promoted(daysAgo: number): Promise<void> {
  const spec = { name: 'orders', key: 'id', input: ['id'], output: ['id'], nodes: [], resources: [], schemas: { input: {}, output: {} } };
  await store.definitions.registerRelease({
    release: { pipeline: 'orders', hash: 'r1', spec },
    topology: {
      stages: [{ name: 'parse', nodes: ['parse'], after: [], partitions: 1 }],
      batch: { records: 1, bytes: 1024 },
      lingerMs: 0,
    },
    envelope: { parse: { memoryMb: [128], concurrency: { min: 1, max: 1 } } },
    allocation: { parse: { memoryMb: 128, concurrency: 1 } },
    by: { actor: 'tester', reason: 'because' },
  });
  await sql.query(
    `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings, state, ended_at)
     values ('ro-1', 'orders', 'v1', 'v1', false, '', '', '{}', 'promoted', now() - make_interval(days => $1))`,
    [daysAgo],
  );
}
