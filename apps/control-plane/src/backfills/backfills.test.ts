import { expect, test } from 'vitest';
import { Backfill, BackfillList } from '@autoflow/client/schemas';
import { BACKFILL_WORKFLOW, backfillWorkflowId } from '@autoflow/workflows';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { Client, Connection } from '@temporalio/client';
import { useApi } from '../testing/api.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/backfills';
const source = { kind: 'jsonl', path: '/data/parcels.jsonl' } as const;

async function historyOf(id: string): Promise<string[]> {
  const { events } = await api.temporal.workflow.getHandle(backfillWorkflowId(id)).fetchHistory();
  return events!.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => (signal ? [signal.signalName!] : []));
}

test('a backfill has a row, then a workflow', async () => {
  const { status, json } = await api.send('POST', PATH, { body: { source, limit: 10, reason: 'try' } });
  expect(status).toBe(201);
  const backfill = Backfill.parse(json);
  expect(backfill).toMatchObject({ scope: backfill.id, state: 'running', limit: 10, concurrency: 8, progress: { read: 0, settled: 0 } });
  const run = await api.temporal.workflow.getHandle(backfillWorkflowId(backfill.id)).describe();
  expect([run.type, run.taskQueue, run.status.name]).toEqual([BACKFILL_WORKFLOW, CONTROL_QUEUE, 'RUNNING']);
  expect(BackfillList.parse((await api.send('GET', PATH)).json).items[0]).toEqual(backfill);
  expect((await api.viewer.audit({ pipeline: 'parcels' })).items[0]).toMatchObject({ action: 'backfill.create', reason: 'try' });
});

test('it is paused, resumed and cancelled, in its row and in its workflow', async () => {
  const { id } = await api.operator.backfills.start('parcels', { source });
  expect((await api.operator.backfills.pause('parcels', id)).state).toBe('paused');
  expect((await api.operator.backfills.pause('parcels', id)).state).toBe('paused');
  expect((await api.operator.backfills.resume('parcels', id, 'on')).state).toBe('running');
  expect((await api.operator.backfills.cancel('parcels', id)).state).toBe('cancelled');
  expect(await historyOf(id)).toEqual(['pause', 'pause', 'resume', 'cancel']);
  const { status, problem } = await api.send('POST', `${PATH}/${id}:resume`, { body: {} });
  expect([status, problem.code]).toEqual([409, 'BACKFILL_ENDED']);
});

test('resuming one whose workflow was terminated starts another', async () => {
  const { id } = await api.operator.backfills.start('parcels', { source });
  const handle = api.temporal.workflow.getHandle(backfillWorkflowId(id));
  await handle.terminate('by somebody');
  expect((await api.operator.backfills.pause('parcels', id)).state).toBe('paused');
  await api.operator.backfills.resume('parcels', id);
  expect((await handle.describe()).status.name).toBe('RUNNING');
});

test.each([
  ['no source', {}, ['/source']],
  ['an unknown kind of source', { source: { kind: 'ftp' } }, ['/source/kind']],
  ['a relative path', { source: { kind: 'csv', path: 'a.csv' } }, ['/source/path']],
  [
    'a connection string for a secret',
    { source: { kind: 'postgres', secret: 'postgres://me:pw@db/shop', query: 'select 1' } },
    ['/source/secret'],
  ],
  ['an unknown version', { source, version: 'v99' }, ['/version']],
  [
    'several things wrong',
    { source, limit: 0, concurrency: 0, batchRecords: -1, scope: 'a/b' },
    ['/batchRecords', '/concurrency', '/limit', '/scope'],
  ],
])('%s is refused', async (_, body, pointers) => {
  const { status, problem } = await api.send('POST', PATH, { body });
  expect([status, problem.code]).toEqual([422, 'INVALID_BODY']);
  expect(problem.errors!.map(({ pointer }) => pointer).sort()).toEqual(pointers);
});

test('unknown pipelines and backfills are not found, nor those of another pipeline', async () => {
  const { id } = await api.operator.backfills.start('parcels', { source });
  expect((await api.send('POST', '/v1/pipelines/nothing/backfills', { body: { source } })).problem.code).toBe('PIPELINE_UNKNOWN');
  expect((await api.send('GET', `${PATH}/bf-nothing`)).problem.code).toBe('BACKFILL_UNKNOWN');
  expect((await api.send('POST', `${PATH}/bf-nothing:pause`, { body: {} })).problem.code).toBe('BACKFILL_UNKNOWN');
  expect((await api.send('POST', `${PATH}/${id}:explode`, { body: {} })).problem.code).toBe('ROUTE_UNKNOWN');
});

test('without Temporal the start fails for now, and the row says so', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '1s' });
  const { url } = await api.start({ temporal: new Client({ connection }) });
  const token = await api.store.access.createToken('no-temporal', 'operator');
  const answer = await fetch(`${url}${PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ source, scope: 'no-temporal' }),
  });
  expect(answer.status).toBe(503);
  expect(answer.headers.has('retry-after')).toBe(true);
  expect(await answer.json()).toMatchObject({ code: 'TEMPORAL_UNAVAILABLE', retryable: true });
  const row = (await api.viewer.backfills.list('parcels')).items.find(({ scope }) => scope === 'no-temporal');
  expect(row).toMatchObject({ state: 'failed', reason: expect.stringContaining('Temporal') });
});
