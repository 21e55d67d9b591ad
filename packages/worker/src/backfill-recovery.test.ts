import { expect, it } from 'vitest';
import { backfillWorkflowId } from '@autoflow/workflows';
import { startBackfillRecovery } from './backfill-recovery.js';
import { BY, PIPELINE, useTwoReleases } from './testing/two-releases.js';

const context = useTwoReleases();

/** A row as a crash leaves it behind: nobody has started its workflow. */
async function create(id: string, seconds = 60): Promise<void> {
  const source = { kind: 'jsonl', path: '/data/letters.jsonl' } as const;
  await context.store.backfills.create({ id, pipeline: PIPELINE, scope: id, source, concurrency: 1 }, BY);
  await context.sql.query(`update autoflow.backfills set created_at = now() - make_interval(secs => $2) where id = $1`, [id, seconds]);
}

const handle = (id: string) => context.client.workflow.getHandle(backfillWorkflowId(id));
const recover = () => startBackfillRecovery({ store: context.store, client: context.client, log: () => {} }).close();
const runOf = (id: string) =>
  handle(id)
    .describe()
    .then(
      ({ runId, status }) => ({ runId, status: status.name }),
      () => undefined,
    );

it('starts every running backfill that nobody runs, once', async () => {
  await create('left-behind');
  await Promise.all([recover(), recover()]);
  const run = await runOf('left-behind');
  expect(run?.status).toBe('RUNNING');
  await recover();
  expect(await runOf('left-behind')).toEqual(run);
  const { events } = await handle('left-behind').fetchHistory();
  expect(events?.[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
    workflowType: { name: 'Backfill' },
    taskQueue: { name: 'autoflow-control' },
  });
});

it('starts one again whose workflow was terminated', async () => {
  await create('terminated');
  await recover();
  await handle('terminated').terminate('by somebody');
  await recover();
  expect((await runOf('terminated'))?.status).toBe('RUNNING');
});

it('leaves alone what is paused, has ended, or was made just now', async () => {
  for (const state of ['paused', 'completed', 'cancelled', 'failed'] as const) {
    await create(state);
    await context.store.backfills.setState(state, state, BY);
  }
  await create('fresh', 0);
  await recover();
  for (const id of ['paused', 'completed', 'cancelled', 'failed', 'fresh']) expect(await runOf(id)).toBeUndefined();
});
