import { beforeAll, expect, test } from 'vitest';
import { Stable } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { filterEarly, parcelsSpec, RELEASE } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/stable';
const put = (ifMatch: string | undefined, body: unknown = { version: 'v1', reason: 'month end' }) =>
  api.send('PUT', PATH, { body, ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }) });

beforeAll(async () => {
  await api.admin.versions.register('parcels', { topology: filterEarly });
});

test('the pointer moves forth and back with the ETag that was read', async () => {
  const read = await api.send('GET', PATH);
  expect(Stable.parse(read.json).version).toBe('v1');
  const forth = await put(read.headers.get('etag')!, { version: 'v2', reason: 'better' });
  expect([forth.status, forth.json.version]).toEqual([200, 'v2']);
  const back = await put(forth.headers.get('etag')!);
  expect([back.status, back.json]).toEqual([200, { ...read.json, revision: read.json.revision + 2, notices: [] }]);
  const [latest] = (await api.viewer.audit({ pipeline: 'parcels' })).items;
  expect(latest).toMatchObject({
    action: 'stable.set',
    actor: 'admin',
    reason: 'month end',
    before: { version: 'v2' },
    after: { version: 'v1' },
  });
});

test('of two rollbacks at the same time one is done, the other is told so', async () => {
  const { revision } = await api.viewer.stable.show('parcels');
  const answers = await Promise.all([put(`"${revision}"`), put(`"${revision}"`, { version: 'v2', reason: 'also me' })]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  const refused = answers.find(({ status }) => status === 412)!;
  expect(refused.problem).toMatchObject({
    code: 'STALE_REVISION',
    retryable: false,
    detail: expect.stringContaining(`revision ${revision + 1}`),
  });
  const { items } = await api.viewer.audit({ pipeline: 'parcels', limit: 2 });
  expect(items.filter(({ after }) => (after as { revision: number }).revision === revision + 1)).toHaveLength(1);
});

test('without If-Match nothing is changed; * changes whatever is there', async () => {
  const before = await api.viewer.stable.show('parcels');
  const refused = await put(undefined);
  expect([refused.status, refused.problem.code]).toEqual([428, 'REVISION_REQUIRED']);
  expect(await api.viewer.stable.show('parcels')).toEqual(before);
  expect((await put('*')).status).toBe(200);
});

test.each(['3', 'W/"3"', '"3", "4"', '"three"', ''])('If-Match: %s is no ETag of ours', async (header) => {
  const { status, problem } = await put(header);
  expect([status, problem.code, problem.errors?.[0]?.parameter]).toEqual([400, 'INVALID_PARAMETER', 'If-Match']);
});

test('a version that is not there, or a change without a reason, is refused', async () => {
  const unknown = await put('*', { version: 'v99', reason: 'x' });
  expect([unknown.status, unknown.problem.code]).toEqual([404, 'VERSION_UNKNOWN']);
  const silent = await put('*', { version: 'v1', reason: '  ' });
  expect([silent.status, silent.problem.code, silent.problem.errors?.map(({ pointer }) => pointer)]).toEqual([
    422,
    'INVALID_BODY',
    ['/reason'],
  ]);
  expect(
    (await api.send('PUT', '/v1/pipelines/nothing/stable', { headers: { 'if-match': '*' }, body: { version: 'v1', reason: 'x' } })).problem
      .code,
  ).toBe('PIPELINE_UNKNOWN');
});

test('who has the present state is told so', async () => {
  const { headers } = await api.send('GET', PATH);
  // fetch would add `no-cache`, which asks for the whole answer.
  const asked = { 'if-none-match': headers.get('etag')!, 'cache-control': 'max-age=0' };
  expect((await api.send('GET', PATH, { headers: asked })).status).toBe(304);
});

test('what is under way on the version before is taken back when that is asked for, and is told of', async () => {
  await put('*', { version: 'v2', reason: 'forth' });
  await api.store.ledger.open({
    batch: {
      id: 'under-way',
      pipeline: 'parcels',
      version: 'v2',
      release: (await api.viewer.stable.show('parcels')).release,
      scope: 'live',
      executionId: 'e',
      ref: { ref: 'file:x', bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
      memoryMb: {},
    },
    records: [{ index: 0, key: 'k', arrivedAt: new Date().toISOString(), fields: {} }],
    replace: true,
  });
  const { json } = await put('*', { version: 'v1', reason: 'back', inFlight: 'abort' });
  expect(json).toMatchObject({ version: 'v1', inFlight: { version: 'v2', aborted: 0, finishing: 1, because: expect.any(String) } });
  expect((await put('*')).json).not.toHaveProperty('inFlight');
});

test('of a release with a plain write nothing is taken back, also of what came through the inbox', async () => {
  const once = {
    ...parcelsSpec,
    name: 'letters',
    nodes: parcelsSpec.nodes.map((node) => (node.id === 'book' ? { ...node, effect: 'write' as const } : node)),
  };
  await api.admin.pipelines.register({ spec: once, release: RELEASE });
  await api.admin.versions.register('letters', { topology: filterEarly });
  const open = (id: string, version: string) =>
    api.store.ledger.open({
      batch: {
        id,
        pipeline: 'letters',
        version,
        release: RELEASE,
        scope: 'live',
        executionId: id,
        memoryMb: {},
        arm: 'stable',
        ref: { ref: 'file:x', bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
      },
      records: [{ index: 0, key: id, arrivedAt: new Date().toISOString(), fields: {} }],
      replace: true,
    });
  await open('letter-1', 'v1');
  await open('letter-2', 'v1');
  const { json } = await api.send('PUT', '/v1/pipelines/letters/stable', {
    headers: { 'if-match': '*' },
    body: { version: 'v2', reason: 'forth', inFlight: 'abort' },
  });
  expect(json.inFlight).toEqual({
    version: 'v1',
    aborted: 0,
    finishing: 2,
    because: 'book writes and is never run again by itself',
  });
  expect((await api.store.ledger.openBatches({ pipeline: 'letters' })).map(({ aborted }) => aborted ?? false)).toEqual([false, false]);
});
