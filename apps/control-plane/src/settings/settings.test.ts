import { expect, test } from 'vitest';
import { OperationSettings } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels';
const patch = (body: object, ifMatch = '*') => api.send('PATCH', PATH, { body, headers: { 'if-match': ifMatch } });

test('settings are read and changed, part by part', async () => {
  const read = await api.send('GET', `${PATH}/settings`);
  expect(OperationSettings.parse(read.json)).toMatchObject({
    revision: 0,
    ...{ autonomy: 'suggest', freezes: [], optimizeTraining: 'auto' },
  });
  expect(read.headers.get('etag')).toBe('"0"');
  const changed = await patch(
    { autonomy: 'auto', freezes: [{ window: 'Fri 16:00 - Mon 08:00', timeZone: 'Europe/Berlin' }], pinned: 'v1', reason: 'go' },
    '"0"',
  );
  expect(OperationSettings.parse(changed.json)).toMatchObject({
    revision: 1,
    autonomy: 'auto',
    pinned: 'v1',
    actor: 'admin',
    reason: 'go',
  });
  const freed = await patch({ pinned: null, objective: { minimise: 'latency', p99Ms: 500 }, spendCapUsd: 0.5, reason: 'on' }, '"1"');
  expect(freed.json).toMatchObject({ revision: 2, autonomy: 'auto', objective: { minimise: 'latency', p99Ms: 500 }, spendCapUsd: 0.5 });
  expect(freed.json.pinned).toBeUndefined();
  expect((await api.send('GET', PATH)).json.settings).toMatchObject({ revision: 2 });
  const optimizeTraining = { learners: 2, budget: { steps: 1_000, seconds: 60 } };
  const scheduled = await patch({ optimizeEvery: '6h', optimizeTraining, reason: 'nightly' }, '"2"');
  expect(scheduled.json).toMatchObject({ optimizeEvery: '6h', optimizeTraining });
  expect((await patch({ optimizeTraining: null, reason: 'as usual' }, '"3"')).json).toMatchObject({ optimizeTraining: 'auto' });
  expect((await api.viewer.audit({ pipeline: 'parcels', action: 'settings.change' })).items).toHaveLength(4);
});

test('what people do by hand is done in a freeze, and said so', async () => {
  const always = ['Mon', 'Thu'].map((day, i) => ({ window: `${day} 00:00 - ${['Thu', 'Mon'][i]} 00:00`, timeZone: 'UTC' }));
  expect((await patch({ freezes: always, pinned: 'v1', reason: 'month end' })).json.frozen).toMatchObject({
    timeZone: 'UTC',
    until: expect.any(String),
  });
  const set = await api.operator.stable.set('parcels', { version: 'v1', reason: 'by hand' }, '*');
  expect(set.notices).toEqual([expect.stringMatching(/frozen .* until .*by hand/)]);
});

test.each([
  ['nothing to change', { reason: 'x' }, ['']],
  ['no reason', { autonomy: 'off' }, ['/reason']],
  ['an unknown autonomy', { autonomy: 'wild', reason: 'x' }, ['/autonomy']],
  ['a window that is none', { freezes: [{ window: 'always' }], reason: 'x' }, ['/freezes/0/window']],
  ['a time zone that is none', { freezes: [{ window: 'Fri 16:00 - Mon 08:00', timeZone: 'Mars' }], reason: 'x' }, ['/freezes/0/timeZone']],
  ['a version that is not there', { pinned: 'v99', reason: 'x' }, ['/pinned']],
  ['a negative cap', { spendCapUsd: -1, reason: 'x' }, ['/spendCapUsd']],
  ['a training that is none', { optimizeTraining: 'much', reason: 'x' }, ['/optimizeTraining']],
  ['an objective that is none', { objective: { minimise: 'effort' }, reason: 'x' }, ['/objective/minimise']],
])('%s is refused', async (_, body, pointers) => {
  const { status, problem } = await patch(body);
  expect([status, problem.code, problem.errors?.map(({ pointer }) => pointer)]).toEqual([422, 'INVALID_BODY', pointers]);
});

test('a clamp moves the allocation inside and holds for all that follow', async () => {
  const before = await api.viewer.allocations.show('parcels');
  await api.operator.allocations.setStage('parcels', 'weigh', { concurrency: 8, reason: 'much' }, '*');
  const clamped = await api.operator.allocations.clamp(
    'parcels',
    'weigh',
    { concurrency: { min: 1, max: 2 }, memoryMb: { min: 128, max: 256 }, reason: 'no more' },
    '*',
  );
  expect(clamped.stages['weigh']).toEqual({ memoryMb: 256, concurrency: 2 });
  expect(clamped.clamps).toEqual({ weigh: { concurrency: { min: 1, max: 2 }, memoryMb: { min: 128, max: 256 } } });
  const put = (path: string, body: object) => api.send('PUT', `${PATH}/allocations/weigh${path}`, { body, headers: { 'if-match': '*' } });
  expect((await put('', { concurrency: 3, reason: 'x' })).problem).toMatchObject({
    code: 'ALLOCATION_OUT_OF_BOUNDS',
    errors: [{ pointer: '/concurrency' }],
  });
  expect((await put('/clamp', { concurrency: { min: 90, max: 99 }, reason: 'x' })).problem).toMatchObject({
    code: 'CLAMP_INVALID',
    errors: [{ pointer: '/concurrency' }],
  });
  expect((await put('/clamp', { concurrency: { min: 3, max: 2 }, reason: 'x' })).problem.code).toBe('CLAMP_INVALID');
  expect(
    (await api.send('PUT', `${PATH}/allocations/nowhere/clamp`, { body: { reason: 'x' }, headers: { 'if-match': '*' } })).problem.code,
  ).toBe('STAGE_UNKNOWN');
  const lifted = await api.operator.allocations.clamp('parcels', 'weigh', { reason: 'free' }, clamped.revision);
  expect(lifted.clamps).toEqual({});
  expect((await put('', { ...before.stages['weigh'], reason: 'as before' })).status).toBe(200);
  expect((await api.viewer.audit({ pipeline: 'parcels', action: 'allocation.clamp' })).items).toHaveLength(2);
});
