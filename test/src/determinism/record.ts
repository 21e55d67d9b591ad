/** Records the histories of executions and backfills that `replay.test.ts` replays: `npm run record-histories -w test`. Every one runs for real, to its end. */
import { startStack } from '@autoflow/local-stack';
import { backfill, jsonl, startBackfill, startPlatform, topologyOf, untilRow } from '../execution/platform.js';
import { defaultAllocation, defaultEnvelope, type Allocation, type Topology } from '@autoflow/topology';
import { saveHistory } from './save-history.js';

const CHAIN = { measure: [], 'may-pass': ['measure'], perform: ['may-pass'], weigh: ['perform'], store: ['weigh'] };
const PARALLEL = { measure: [], 'may-pass': ['measure'], perform: ['may-pass'], weigh: ['may-pass'], store: ['perform', 'weigh'] };

const stack = await startStack({ name: 'record-histories', mode: 'ephemeral', log: (line) => console.log(line) });
const platform = await startPlatform({
  databaseUrl: stack.databaseUrl,
  temporal: { address: stack.temporal.address, namespace: stack.temporal.namespace },
  folder: stack.folder,
});
try {
  await platform.startWorker();
  await recordExecutions();
  await recordBackfills();
} finally {
  await platform.stop();
  await stack.stop();
}

async function recordExecutions(): Promise<void> {
  await direct('direct-as-written', { id: 'one', act: 'pass', payload: 'abc' });
  await direct('direct-filtered', { id: 'dropped', act: 'drop' });
  await direct('direct-refused', { id: 'bad', act: 'dance' });
  await ofBatch('batch-parallel', topologyOf(PARALLEL, { partitions: 2 }), many('parallel', 12, 'pass'));
  await ofBatch('batch-retried', topologyOf(CHAIN), many('retried', 4, 'flaky'));
  await ofBatch('batch-out-of-memory', { ...topologyOf(CHAIN), lingerMs: 1 }, many('memory', 1, 'hoard'), (start) => ({
    ...start,
    perform: { memoryMb: 256, concurrency: 2 },
  }));
  await ofBatch('batch-bisected', topologyOf(CHAIN), [...many('bisected', 7, 'pass'), { id: 'bisected-poison', act: 'exit' }]);
  await notRunAgain();
  await cancelled();
}

async function recordBackfills(): Promise<void> {
  const source = await jsonl(stack.folder, 'long', many('long', 4, 'pass'));
  const handle = await startBackfill(platform, {
    id: 'long',
    concurrency: 1,
    batchRecords: 1,
    source,
    workflow: { budgetMs: 1, feedsPerRun: 2 },
  });
  await handle.result();
  await save('backfill-continued-as-new', 'backfill/long', handle.firstExecutionRunId);
  await save('backfill-last-run', 'backfill/long');
  await pausedAndCancelled();
}

async function direct(name: string, record: object): Promise<void> {
  const handle = await platform.client.workflow.start('acts', { taskQueue: 'autoflow', workflowId: name, args: [record] });
  await handle.result().catch(() => {});
  await save(name, name);
}

async function ofBatch(
  id: string,
  topology: Topology,
  records: readonly object[],
  allocate: (start: Allocation) => Allocation = (start) => start,
): Promise<void> {
  const allocation = allocate(defaultAllocation(platform.spec, topology, defaultEnvelope(platform.spec, topology)));
  const version = await platform.registerVersion(topology, allocation);
  await backfill(platform, { id, version, batchRecords: records.length, source: await jsonl(stack.folder, id, records) });
  await save(id, `acts/${id}/${id}.0`);
}

async function notRunAgain(): Promise<void> {
  const id = 'batch-write-not-rerun';
  const records = [...many(id, 2, 'pass'), { id: `${id}-poison`, act: 'exit' }];
  await backfill(platform, { pipeline: 'appends', id, batchRecords: records.length, source: await jsonl(stack.folder, id, records) });
  await save(id, `appends/${id}/${id}.0`);
}

async function cancelled(): Promise<void> {
  const handle = await platform.client.workflow.start('acts', {
    taskQueue: 'autoflow',
    workflowId: 'direct-cancelled',
    args: [many('cancelled', 2, 'wait')],
  });
  await untilRow(platform, `select 1 from attempts where id = 'cancelled-0'`);
  await handle.cancel();
  await handle.result().catch(() => {});
  await save('direct-cancelled', 'direct-cancelled');
}

async function pausedAndCancelled(): Promise<void> {
  const id = 'paused';
  const handle = await startBackfill(platform, {
    id,
    concurrency: 1,
    batchRecords: 1,
    source: await jsonl(stack.folder, id, many(id, 4, 'wait')),
  });
  await untilRow(platform, `select 1 from attempts where id = 'paused-0'`);
  await handle.signal('pause');
  await handle.signal('resume');
  await handle.signal('cancel');
  await handle.result();
  await save('backfill-paused-and-cancelled', `backfill/${id}`);
}

function many(prefix: string, count: number, act: string): { id: string; act: string }[] {
  return Array.from({ length: count }, (_, at) => ({ id: `${prefix}-${at}`, act }));
}

const save = (name: string, workflowId: string, runId?: string) => saveHistory(platform.client, name, workflowId, runId);
