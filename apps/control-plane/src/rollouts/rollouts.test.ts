import { beforeAll, expect, test } from 'vitest';
import { RolledBack, Rollout, RolloutDetail, Savings } from '@autoflow/client/schemas';
import { rolloutWorkflowId } from '@autoflow/workflows';
import { ROLLOUT_DEFAULTS } from '@autoflow/topology';
import { ledgerOf } from '../savings/ledger.js';
import { useApi } from '../testing/api.js';
import { filterEarly } from '../testing/parcels.js';

/** No worker runs here: what becomes of traffic is tested where one does. */
const api = useApi();
const PATH = '/v1/pipelines/parcels/rollouts';

beforeAll(async () => {
  await api.admin.versions.register('parcels', { topology: filterEarly });
});

test.each([
  ['the stable version', { version: 'v1' }, 409, 'ROLLOUT_REFUSED'],
  ['a version that is not there', { version: 'v9' }, 404, 'VERSION_UNKNOWN'],
  ['steps that do not ascend', { version: 'v2', steps: [25, 5] }, 422, 'INVALID_BODY'],
  ['all of the traffic without a holdout to compare with', { version: 'v2', holdoutPercent: 0 }, 422, 'INVALID_BODY'],
])('of %s there is none', async (_, body, status, code) => {
  const refused = await api.send('POST', PATH, { body });
  expect([refused.status, refused.problem.code]).toEqual([status, code]);
});

test('one is started, steered and told of; a second one has to wait; who rolls back by hand ends it', async () => {
  const { status, json } = await api.send('POST', PATH, {
    body: { version: 'v2', steps: [10, 50], periodMs: 6_000, margins: { p99: 0.5 }, skipShadow: true, reason: 'try it' },
  });
  const begun = Rollout.parse(json);
  expect([status, begun]).toMatchObject([
    201,
    { state: 'starting', baseline: 'v1', own: false, actor: 'admin', reason: 'try it', steps: [], paused: false },
  ]);
  expect(begun.settings).toMatchObject({
    steps: [10, 50],
    holdoutPercent: 5,
    periodMs: 6_000,
    warmupMs: 3_000,
    blockMs: 500,
    shadowRecords: 0,
  });
  expect(begun.settings.margins).toMatchObject({ p99: 0.5, p95: 0.1, dead: 0.005 });
  expect((await api.temporal.workflow.getHandle(rolloutWorkflowId('parcels')).describe()).status.name).toBe('RUNNING');

  const second = await api.send('POST', PATH, { body: { version: 'v2' } });
  expect([second.status, second.problem.code, second.problem.detail]).toEqual([409, 'ROLLOUT_ACTIVE', expect.stringContaining(begun.id)]);
  expect((await api.operator.rollouts.pause('parcels', begun.id)).paused).toBe(true);
  expect((await api.operator.rollouts.resume('parcels', begun.id)).paused).toBe(false);
  const early = await api.send('POST', `${PATH}/${begun.id}:promote`, { body: {} });
  expect(early.problem.code).toBe('ROLLOUT_NOT_IN_CANARY');

  const back = { body: { version: 'v1', reason: 'month end' }, headers: { 'if-match': '*' } };
  const moved = await api.send('PUT', '/v1/pipelines/parcels/stable', back);
  expect(moved.json.notices).toEqual([`The rollout of v2 (${begun.id}) was under way and has ended by this.`]);
  const over = RolloutDetail.parse((await api.send('GET', `${PATH}/${begun.id}`)).json);
  expect(over).toMatchObject({ state: 'superseded', outcome: 'admin has moved the traffic: month end', evaluations: [] });
  expect((await api.send('POST', `${PATH}/${begun.id}:abort`, { body: {} })).problem.code).toBe('ROLLOUT_ENDED');
  expect((await api.viewer.rollouts.list('parcels')).items.map(({ id }) => id)).toEqual([begun.id]);
  expect((await api.send('GET', `${PATH}/ro-nothing`)).problem.code).toBe('ROLLOUT_UNKNOWN');
  await api.temporal.workflow.getHandle(rolloutWorkflowId('parcels')).terminate();
});

test('is aborted although nobody runs it', async () => {
  const { id } = await api.operator.rollouts.start('parcels', { version: 'v2', skipShadow: true });
  await api.temporal.workflow.getHandle(rolloutWorkflowId('parcels')).terminate();
  expect(await api.operator.rollouts.abort('parcels', id, 'enough')).toMatchObject({ state: 'aborted', outcome: 'enough' });
  const page = (await api.send('GET', `${PATH}?limit=1`)).json as { items: { id: string }[]; next: string };
  expect([page.items.map((item) => item.id), page.next]).toEqual([[id], id]);
});

/** Saved as estimated, within so much; net of what was spent. */
function totals(saved: number, within: number, spent: number) {
  const around = (estimate: number) => ({
    estimate: expect.closeTo(estimate, 6),
    low: expect.closeTo(estimate - within, 6),
    high: expect.closeTo(estimate + within, 6),
  });
  return { savedUsd: around(saved), netUsd: around(saved - spent) };
}

test('where nothing was promoted nothing is saved', async () => {
  const { json } = await api.send('GET', '/v1/pipelines/parcels/savings?since=7d');
  expect(Savings.parse(json)).toMatchObject({
    days: [],
    exploration: [],
    total: { explorationUsd: 0, optimizationUsd: 0, ...totals(0, 0, 0) },
  });
});

test('days that are over are told as they were written down, though no row tells of them any more', async () => {
  const from = Date.now() - 3 * 86_400_000;
  const found = { records: 900, costPer1000: { stable: 1, holdout: 2 }, savedUsd: { estimate: 0.9, low: 0.5, high: Infinity } };
  const keep = (savings: object, from: number) =>
    api.store.savings.keep({ pipeline: 'parcels', version: 'v2', against: 'v1', from, to: from + 60_000, savings });
  await keep(found, from);
  // Two that are known: of 3 and 4 either way, together 5.
  await keep({ ...found, savedUsd: { estimate: 10, low: 7, high: 13 } }, from + 3_600_000);
  await keep({ ...found, savedUsd: { estimate: 20, low: 16, high: 24 } }, from + 2 * 3_600_000);
  const { json } = await api.send('GET', '/v1/pipelines/parcels/savings?since=7d');
  expect(Savings.parse(json)).toMatchObject({
    days: [
      {
        version: 'v2',
        against: 'v1',
        day: new Date(from).toISOString().slice(0, 10),
        ...found,
        savedUsd: { ...found.savedUsd, high: null },
      },
      { savedUsd: { estimate: 10 } },
      { savedUsd: { estimate: 20 } },
    ],
    total: totals(30, 5, 0),
  });
  expect(Savings.parse((await api.send('GET', '/v1/pipelines/parcels/savings?since=1d')).json).days).toEqual([]);
});

test('exploration is charged on the day on which it ended, and savings are net of it', async () => {
  const { rollouts } = api.store;
  const by = { actor: 'tester', reason: 'because' };
  const ends = async (id: string, extraUsd: number) => {
    await rollouts.create({ id, pipeline: 'parcels', version: 'v2', own: true, settings: ROLLOUT_DEFAULTS }, by);
    await rollouts.end({ id, outcome: 'aborted', by });
    await rollouts.charge(id, { records: 10, share: 0.05, dead: 0, costUsd: 1, extraUsd });
  };
  const told = async (since: number) => ledgerOf(api.store, 'parcels', since, Date.now() + 2 * 86_400_000);
  await ends('ro-lost', 0.25);
  const week = Date.now() - 7 * 86_400_000;
  const today = new Date().toISOString().slice(0, 10);
  expect(await told(week)).toMatchObject({
    exploration: [{ rollout: 'ro-lost', version: 'v2', day: today, extraUsd: 0.25 }],
    total: { explorationUsd: 0.25, ...totals(30, 5, 0.25) },
  });

  await ends('ro-won', -0.05);
  expect((await told(week)).total).toEqual({ explorationUsd: expect.closeTo(0.2, 6), optimizationUsd: 0, ...totals(30, 5, 0.2) });
  expect((await told(Date.now() + 86_400_000)).exploration).toEqual([]);
});

test('what optimizations cost is charged on the day on which they ended', async () => {
  const { optimizations } = api.store;
  const by = { actor: 'tester', reason: 'because' };
  const run = async (id: string, usd: number, end: boolean) => {
    await optimizations.create({ id, pipeline: 'parcels', request: { dryRun: false } }, by);
    for (const step of ['fit', 'propose'] as const)
      await optimizations.finishStep(id, { decision: { step, verdict: 'go-on', reason: '', usd } });
    if (end) await optimizations.close(id, { state: 'failed', reason: '' }, by);
  };
  await run('opt-1', 0.06, true);
  await run('opt-2', 0.5, false);
  const told = (since: number) => ledgerOf(api.store, 'parcels', since, Date.now() + 2 * 86_400_000);
  const today = new Date().toISOString().slice(0, 10);
  const found = await told(Date.now() - 7 * 86_400_000);
  expect(found.optimizations).toEqual([{ optimization: 'opt-1', day: today, usd: expect.closeTo(0.12, 6) }]);
  expect(found.total).toMatchObject({ optimizationUsd: expect.closeTo(0.12, 6), ...totals(30, 5, found.total.explorationUsd + 0.12) });
  expect((await told(Date.now() + 86_400_000)).optimizations).toEqual([]);
  await optimizations.close('opt-2', { state: 'cancelled', reason: '' }, by);
});

test('is rolled back although nobody runs it: the stable version stays, the candidate is marked, what it has under way is told of', async () => {
  const { id } = await api.operator.rollouts.start('parcels', { version: 'v2', skipShadow: true });
  await api.temporal.workflow.getHandle(rolloutWorkflowId('parcels')).terminate();
  const { status, json } = await api.send('POST', `${PATH}/${id}:roll-back`, { body: { reason: 'it is wrong', inFlight: 'abort' } });
  expect([status, RolledBack.parse(json)]).toMatchObject([
    200,
    { state: 'rolled-back', outcome: 'it is wrong', inFlight: { version: 'v2', aborted: 0, finishing: 0 } },
  ]);
  expect((await api.viewer.stable.show('parcels')).version).toBe('v1');
  expect((await api.store.definitions.statuses('parcels', 'v2')).at(-1)).toMatchObject({ status: 'rolled-back', reason: 'it is wrong' });
});
