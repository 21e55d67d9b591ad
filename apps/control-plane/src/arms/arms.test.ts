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

test.each([
  ['more than everything', { candidate: { version: 'v2', share: 0.7 }, holdout: { version: 'v1', share: 0.4 }, reason: 'x' }, ['']],
  ['a version that is not there', { candidate: { version: 'v99', share: 0.1 }, reason: 'x' }, ['/candidate/version']],
  ['a share that is none, and so too much in all', { candidate: { version: 'v2', share: 5 }, reason: 'x' }, ['/candidate/share', '']],
  ['no reason', { candidate: { version: 'v2', share: 0.1 } }, ['/reason']],
])('%s is refused', async (_, body, pointers) => {
  const { status, problem } = await put(body);
  expect([status, problem.errors?.map(({ pointer }) => pointer)]).toEqual([422, pointers]);
});
