import { expect, test } from 'vitest';
import { AllocationControl, VersionAllocation } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { filterEarly } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/allocations';
const put = (path: string, body: unknown, ifMatch = '*') => api.send('PUT', path, { body, headers: { 'if-match': ifMatch } });

test('an allocation is read, set and acknowledged', async () => {
  const read = await api.send('GET', PATH);
  const before = VersionAllocation.parse(read.json);
  expect(read.headers.get('etag')).toBe(`"${before.revision}"`);
  expect(before.stages['book']).toEqual({ memoryMb: 1024, concurrency: expect.any(Number) });

  const set = await put(
    PATH,
    { stages: { ...before.stages, weigh: { memoryMb: 256, concurrency: 2 } }, reason: 'smaller' },
    read.headers.get('etag')!,
  );
  expect(set.status).toBe(200);
  expect(set.json).toMatchObject({
    revision: before.revision + 1,
    actor: 'admin',
    reason: 'smaller',
    stages: { weigh: { memoryMb: 256, concurrency: 2 }, book: before.stages['book'] },
  });

  await api.store.hosts.acknowledge('host-1', [
    { pipeline: 'parcels', version: 'v1', stage: 'weigh', memoryMb: 256, concurrency: 2, instances: 1 },
  ]);
  expect((await api.viewer.allocations.show('parcels')).acknowledged).toMatchObject([
    { host: 'host-1', stage: 'weigh', concurrency: 2, instances: 1 },
  ]);
});

test('one stage is changed, the others stay', async () => {
  const before = await api.viewer.allocations.show('parcels');
  const after = await api.operator.allocations.setStage('parcels', 'weigh', { concurrency: 3, reason: 'more' }, before.revision);
  expect(after.stages).toEqual({ ...before.stages, weigh: { ...before.stages['weigh'], concurrency: 3 } });
});

test('of two changes at the same time one is done', async () => {
  const { revision, stages } = await api.viewer.allocations.show('parcels');
  const answers = await Promise.all([1, 2].map((concurrency) => put(`${PATH}/weigh`, { concurrency, reason: 'race' }, `"${revision}"`)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  expect((await put(PATH, { stages, reason: 'late' }, `"${revision}"`)).problem.code).toBe('STALE_REVISION');
  expect((await api.send('PUT', PATH, { body: { stages, reason: 'x' } })).problem.code).toBe('REVISION_REQUIRED');
});

test('what is outside the envelope or over a limit is refused, all at once and located', async () => {
  const { stages } = await api.viewer.allocations.show('parcels');
  const refused = await put(PATH, {
    stages: { ...stages, weigh: { memoryMb: 100, concurrency: 99 }, nowhere: { memoryMb: 128, concurrency: 1 } },
    reason: 'x',
  });
  expect([refused.status, refused.problem.code]).toEqual([422, 'ALLOCATION_OUT_OF_BOUNDS']);
  expect(refused.problem.errors!.map(({ pointer }) => pointer).sort()).toEqual([
    '/stages/nowhere',
    '/stages/weigh/concurrency',
    '/stages/weigh/memoryMb',
  ]);

  const greedy = await put(PATH, {
    stages: { ...stages, 'find-depot': { memoryMb: 128, concurrency: 5 }, book: { memoryMb: 128, concurrency: 5 } },
    reason: 'x',
  });
  expect(greedy.problem.errors).toMatchObject([{ code: 'RESOURCE_LIMIT', message: expect.stringContaining("resource 'depot' allows 6") }]);

  const one = await put(`${PATH}/weigh`, { concurrency: 99, reason: 'x' });
  expect(one.problem.errors).toMatchObject([{ pointer: '/concurrency' }]);
});

test('another version has an allocation of its own; unknown names are not found', async () => {
  await api.admin.versions.register('parcels', { topology: filterEarly });
  expect(Object.keys((await api.viewer.allocations.show('parcels', 'v2')).stages).sort()).toEqual(['book', 'find-depot', 'weigh+is-heavy']);
  expect((await api.send('GET', `${PATH}?version=v99`)).problem.code).toBe('VERSION_UNKNOWN');
  expect((await put(`${PATH}/nowhere`, { concurrency: 1, reason: 'x' })).problem).toMatchObject({
    code: 'STAGE_UNKNOWN',
    detail: expect.stringContaining('weigh'),
  });
  expect((await api.send('GET', '/v1/pipelines/nothing/allocations')).problem.code).toBe('PIPELINE_UNKNOWN');
});

test('who decides is shown, with the latest decisions and what was seen; it is switched by a setting', async () => {
  const control = async (query = '') => AllocationControl.parse((await api.send('GET', `${PATH}/control${query}`)).json);
  expect(await control()).toMatchObject({ setting: { mode: 'shadow' }, mode: 'shadow', running: false, agentStands: false, decisions: [] });
  await api.operator.settings.change('parcels', { control: { mode: 'auto', intervalMs: 5_000 }, reason: 'go' }, '*');
  const score = { cost: 2, late: 0, score: 2 };
  const comparison = { at: '2026-01-01T00:00:00.000Z', intervals: 60, agent: score, fallback: score };
  const state = {
    mode: 'fallback',
    why: 'a draw',
    version: 'v1',
    agentStands: false,
    comparisons: [comparison],
    sinceComparison: 3,
  } as const;
  const target = { memoryMb: 1024, concurrency: 2 };
  const seen = {
    arrivals: 7,
    served: 6,
    serviceMs: 60,
    busyMs: 5_000,
    provisionedMs: 10_000,
    queued: 1,
    starting: 0,
    concurrency: 2,
    memoryMb: 1024,
  };
  const step = {
    version: 'v1',
    tick: { tick: { at: 0, arrived: 7, late: 0, stages: [seen] }, stages: ['weigh'], present: { weigh: 1 }, waitingRecords: 3, anew: true },
    decided: { mode: 'fallback', why: 'a draw', stages: { weigh: { now: target, wanted: target, fallback: target, reason: 'enough' } } },
  } as const;
  const held = { pipeline: 'parcels', holder: 'one', forMs: 60_000 };
  expect(await api.store.control.claim(held)).toMatchObject({ now: expect.any(Date) });
  expect(await api.store.control.claim({ ...held, holder: 'two' })).toBeUndefined();
  for (const at of [new Date(1_000), new Date(2_000)])
    expect(await api.store.control.keep({ ...held, state, step: { ...step, at } })).toBe(true);
  expect(await api.store.control.keep({ ...held, holder: 'two', state })).toBe(false);
  expect(await control('?decisions=1')).toEqual({
    pipeline: 'parcels',
    setting: { mode: 'auto', intervalMs: 5_000 },
    mode: 'fallback',
    why: 'a draw',
    running: true,
    version: 'v1',
    agentStands: false,
    comparisons: [comparison],
    decisions: [
      {
        at: new Date(2_000).toISOString(),
        version: 'v1',
        mode: 'fallback',
        why: 'a draw',
        arrived: 7,
        late: 0,
        waitingRecords: 3,
        stages: { weigh: { ...step.decided.stages.weigh, seen: { arrivals: 7, served: 6, queued: 1, busy: 0.5 } } },
      },
    ],
    updatedAt: expect.any(String),
  });
  const wrong = await api.send('PATCH', '/v1/pipelines/parcels', {
    body: { control: { mode: 'wild' }, reason: 'x' },
    headers: { 'if-match': '*' },
  });
  expect(wrong.problem.errors).toMatchObject([{ pointer: '/control/mode' }]);
});
