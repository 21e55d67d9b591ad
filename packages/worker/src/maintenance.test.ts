import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore } from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { startMaintenance } from './maintenance.js';

const stack = useTestStack();

it('removes batch files after their retention, but never those of an open batch', async () => {
  const store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  const batches = openBatchStore({ driver: 'file', folder: join(stack.folder, 'batches') });
  const state = { index: 0, key: 'k', arrivedAt: new Date().toISOString(), fields: { id: 'k' } };
  const write = (batchId: string) => batches.write({ pipeline: 'p', batchId, label: 'input' }, [state]);
  const [old, open] = [await write('old'), await write('open')];
  await store.ledger.open({
    batch: { id: 'open', pipeline: 'p', version: 'v1', release: 'r', scope: 's', executionId: 'e', ref: open, memoryMb: {} },
    records: [state],
    replace: false,
  });
  // Everything is older than minus one day.
  const maintenance = startMaintenance({ store, batches, log: () => {} }, { batchDays: -1 });
  await maintenance.close();
  await expect(batches.read(old)).rejects.toMatchObject({ code: 'BATCH_MISSING' });
  expect(await batches.read(open)).toHaveLength(1);
  await batches.close();
  await store.close();
});
