import { expect, it, vi } from 'vitest';
import { executionActivities } from './activities/execution-activities.js';
import { startSettlingAbandoned } from './abandoned-batches.js';
import { paused } from './testing/describing.js';
import { PIPELINE, useTwoReleases } from './testing/two-releases.js';

const context = useTwoReleases();

/** An open batch of one record, as its execution leaves it behind. */
async function open(id: string, scope: string, { minutes = 10 }: { minutes?: number } = {}): Promise<string> {
  const { store, batches, versions, sql } = context;
  const { version } = await versions.resolve(PIPELINE, 'v1');
  const records = [{ index: 0, key: id, arrivedAt: new Date().toISOString(), fields: { id } }];
  const ref = await batches.write({ pipeline: PIPELINE, batchId: id, label: 'input' }, records);
  const executionId = `execution-of-${id}`;
  await store.ledger.open({
    batch: { id, pipeline: PIPELINE, version: version.name, release: version.release, scope, executionId, ref, memoryMb: {} },
    records,
    replace: true,
  });
  await sql.query(`update autoflow.batches set opened_at = now() - make_interval(mins => $2) where id = $1`, [id, minutes]);
  return executionId;
}

const start = (workflowId: string) => context.client.workflow.start(PIPELINE, { taskQueue: 'nobody', workflowId });
const stateOf = async (scope: string, key: string) => (await context.store.ledger.record(PIPELINE, scope, key))?.state;

async function settleAbandoned(client = context.client): Promise<void> {
  const { store, batches, versions } = context;
  const { settle } = executionActivities({ store, batches, versions, indexed: false });
  await startSettlingAbandoned({ store, client, settle, log: () => {} }).close();
}

it('cancels the records of an execution that was terminated, and only those, whatever the clock of the host', async () => {
  const terminated = await start(await open('terminated', 'live'));
  await terminated.terminate('by somebody');
  await start(await open('running', 'live'));
  await (await start(await open('fresh', 'live', { minutes: 1 }))).terminate('by somebody');
  const now = Date.now;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
  await settleAbandoned().finally(() => clock.mockRestore());
  expect(await stateOf('live', 'terminated')).toBe('cancelled');
  expect(await stateOf('live', 'running')).toBe('running');
  expect(await stateOf('live', 'fresh')).toBe('running');
  expect((await context.store.ledger.batch('terminated'))?.state).toBe('closed');
});

it('leaves what came through the inbox to the feeders', async () => {
  await (await start(await open('fed', 'live'))).terminate('by somebody');
  await context.sql.query(`update autoflow.batches set arm = 'stable' where id = 'fed'`);
  await settleAbandoned();
  expect(await stateOf('live', 'fed')).toBe('running');
});

it('goes on with the others when one cannot be settled', async () => {
  for (const id of ['broken', 'sound']) await (await start(await open(id, 'live'))).terminate('by somebody');
  await context.sql.query(`update autoflow.batches set version = 'v99' where id = 'broken'`);
  await settleAbandoned();
  expect(await stateOf('live', 'broken')).toBe('running');
  expect(await stateOf('live', 'sound')).toBe('cancelled');
});

it('leaves what is paused alone', async () => {
  await start(await open('paused', 'live'));
  await settleAbandoned(paused(context.client));
  expect(await stateOf('live', 'paused')).toBe('running');
});
