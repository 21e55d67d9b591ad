import { describe, expect, test } from 'vitest';
import { createClient } from '@autoflow/client';
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
  const { id } = await api.admin.backfills.start('parcels', { source });
  expect((await api.operator.backfills.pause('parcels', id)).state).toBe('paused');
  expect((await api.operator.backfills.pause('parcels', id)).state).toBe('paused');
  expect((await api.operator.backfills.resume('parcels', id, 'on')).state).toBe('running');
  expect((await api.operator.backfills.cancel('parcels', id)).state).toBe('cancelled');
  expect(await historyOf(id)).toEqual(['pause', 'pause', 'resume', 'cancel']);
  const { status, problem } = await api.send('POST', `${PATH}/${id}:resume`, { body: {} });
  expect([status, problem.code]).toEqual([409, 'BACKFILL_ENDED']);
});

test('only an admin starts one, as its source is read with the rights of the worker', async () => {
  for (const client of [api.operator, api.viewer])
    await expect(client.backfills.start('parcels', { source, scope: 'not-let-in' })).rejects.toMatchObject({
      problem: { code: 'FORBIDDEN', detail: expect.stringContaining('admin') },
    });
  expect((await api.viewer.backfills.list('parcels')).items.filter(({ scope }) => scope === 'not-let-in')).toEqual([]);
});

describe('with an Idempotency-Key', () => {
  const csv = { kind: 'csv', path: '/data/parcels.csv', columns: { ID: 'id', Town: 'town' } } as const;
  const start = (key: string, body: object, path = PATH) => api.send('POST', path, { headers: { 'idempotency-key': key }, body });

  test('the same request again answers the backfill that is there', async () => {
    const body = { source: csv, limit: 5, reason: 'once' };
    const first = await start('a', body);
    const [second, third] = await Promise.all([
      start('a', body),
      start('a', { ...body, source: { ...csv, columns: { Town: 'town', ID: 'id' } } }),
    ]);
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201]);
    expect([second.json, third.json]).toEqual([first.json, first.json]);
    expect((await start('b', body)).json.id).not.toBe(first.json.id);
    const created = (await api.viewer.audit({ pipeline: 'parcels' })).items.filter(({ reason }) => reason === 'once');
    expect(created).toHaveLength(2);
    expect((await api.admin.backfills.start('parcels', body, { idempotencyKey: 'a' })).id).toBe(first.json.id);
  });

  test('many at once make one', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => start('at-once', { source })));
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  });

  test('another body is refused', async () => {
    await start('c', { source, limit: 5 });
    for (const body of [{ source }, { source, limit: 6 }, { source: csv, limit: 5 }, { source, limit: 5, scope: 'other' }]) {
      const { status, problem } = await start('c', body);
      expect([status, problem.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
  });

  test('a run that was not started is started by the same request', async () => {
    const { json } = await start('d', { source });
    const run = api.temporal.workflow.getHandle(backfillWorkflowId(json.id));
    await run.terminate('as if it had never been');
    await start('d', { source });
    expect((await run.describe()).status.name).toBe('RUNNING');
    await api.operator.backfills.cancel('parcels', json.id);
    expect((await start('d', { source })).json).toMatchObject({ id: json.id, state: 'cancelled' });
  });

  test('a key that is none is refused', async () => {
    for (const key of ['a b', 'x'.repeat(201)]) expect((await start(key, { source })).problem.code).toBe('INVALID_PARAMETER');
  });
});

test('resuming one whose workflow was terminated starts another', async () => {
  const { id } = await api.admin.backfills.start('parcels', { source });
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
  ['a secret of a pipeline', { source: { kind: 'postgres', secret: 'ORDERS_DATABASE_URL', query: 'select 1' } }, ['/source/secret']],
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
  const { id } = await api.admin.backfills.start('parcels', { source });
  expect((await api.send('POST', '/v1/pipelines/nothing/backfills', { body: { source } })).problem.code).toBe('PIPELINE_UNKNOWN');
  expect((await api.send('GET', `${PATH}/bf-nothing`)).problem.code).toBe('BACKFILL_UNKNOWN');
  expect((await api.send('POST', `${PATH}/bf-nothing:pause`, { body: {} })).problem.code).toBe('BACKFILL_UNKNOWN');
  expect((await api.send('POST', `${PATH}/${id}:explode`, { body: {} })).problem.code).toBe('ROUTE_UNKNOWN');
});

test('without Temporal the start fails for now, and the row says so', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '1s' });
  const { url } = await api.start({ temporal: new Client({ connection }) });
  const token = await api.store.access.createToken('no-temporal', 'admin');
  const answer = await fetch(`${url}${PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ source, scope: 'no-temporal' }),
  });
  expect(answer.status).toBe(503);
  expect(answer.headers.has('retry-after')).toBe(true);
  expect(await answer.json()).toMatchObject({ code: 'TEMPORAL_UNAVAILABLE', retryable: true });
  const rowOf = async (scope: string) => (await api.viewer.backfills.list('parcels')).items.find((row) => row.scope === scope);
  expect(await rowOf('no-temporal')).toMatchObject({ state: 'failed', reason: expect.stringContaining('Temporal') });

  // With a key the row waits for the same request, which is what the answer says to send.
  const again = { idempotencyKey: 'no-temporal' };
  const body = { source, scope: 'no-temporal-yet' };
  await expect(createClient({ url, token }).backfills.start('parcels', body, again)).rejects.toMatchObject({
    problem: { code: 'TEMPORAL_UNAVAILABLE' },
  });
  expect(await rowOf('no-temporal-yet')).toMatchObject({ state: 'running' });
  const { id } = await api.admin.backfills.start('parcels', body, again);
  expect((await api.temporal.workflow.getHandle(backfillWorkflowId(id)).describe()).status.name).toBe('RUNNING');
});
