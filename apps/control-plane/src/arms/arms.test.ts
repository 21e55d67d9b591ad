import { beforeAll, expect, test } from 'vitest';
import { Arms } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { filterEarly } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/arms';
const put = (body: object, ifMatch = '*') => api.send('PUT', PATH, { body, headers: { 'if-match': ifMatch } });

beforeAll(async () => {
  await api.admin.versions.register('parcels', { topology: filterEarly });
});

test('candidate and holdout are set with the revision that was read, and taken away', async () => {
  const read = await api.send('GET', PATH);
  expect(Arms.parse(read.json)).toMatchObject({ stable: { version: 'v1' }, feedingPaused: false });
  const etag = read.headers.get('etag')!;
  const set = await put({ candidate: { version: 'v2', share: 0.05 }, holdout: { version: 'v1', share: 0.1 }, reason: 'try' }, etag);
  expect(Arms.parse(set.json)).toMatchObject({ candidate: { version: 'v2', share: 0.05 }, holdout: { version: 'v1', share: 0.1 } });
  expect((await put({ reason: 'late' }, etag)).problem.code).toBe('STALE_REVISION');
  const none = Arms.parse((await put({ reason: 'enough' })).json);
  expect([none.candidate, none.holdout]).toEqual([undefined, undefined]);
});

test('feeding is paused and resumed with the revision that was read, and the audit log has why', async () => {
  const feed = (paused: boolean, ifMatch: string) =>
    api.send('PUT', '/v1/pipelines/parcels/feeding', { body: { paused, reason: 'month end' }, headers: { 'if-match': ifMatch } });
  const etag = (await api.send('GET', PATH)).headers.get('etag')!;
  const paused = await feed(true, etag);
  expect(Arms.parse(paused.json).feedingPaused).toBe(true);
  expect((await feed(false, etag)).problem.code).toBe('STALE_REVISION');
  expect(Arms.parse((await feed(true, paused.headers.get('etag')!)).json)).toEqual(paused.json);
  expect(Arms.parse((await feed(false, '*')).json).feedingPaused).toBe(false);
  const { items } = await api.viewer.audit({ action: 'feeding' });
  expect(items.map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
    ['feeding.resume', 'admin', 'month end'],
    ['feeding.pause', 'admin', 'month end'],
  ]);
});

test.each([
  ['more than everything', { candidate: { version: 'v2', share: 0.7 }, holdout: { version: 'v1', share: 0.4 }, reason: 'x' }, ['']],
  ['a version that is not there', { candidate: { version: 'v99', share: 0.1 }, reason: 'x' }, ['/candidate/version']],
  ['a share that is none, and so too much in all', { candidate: { version: 'v2', share: 5 }, reason: 'x' }, ['/candidate/share', '']],
  ['no reason', { candidate: { version: 'v2', share: 0.1 } }, ['/reason']],
])('%s is refused', async (_, body, pointers) => {
  const { status, problem } = await put(body);
  expect([status, problem.errors?.map(({ pointer }) => pointer)]).toEqual([422, pointers]);
});
