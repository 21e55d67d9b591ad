/** The workflow of an optimization on real servers, asked for over the API: what it proposes, and every reason for which it does not. */
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type AutoFlowClient, type OptimizationDetail, type OptimizationQuestion } from '@autoflow/client';
import { OptimizationDetail as Detail, Scorer } from '@autoflow/client/schemas';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { CONTROL_QUEUE, type OptimizationInput, type OptimizationRequest } from '@autoflow/topology';
import { checkCertificate } from '@autoflow/topology/rewrites';
import type { RunningWorker } from '@autoflow/worker';
import { OPTIMIZATION_WORKFLOW, optimizationScheduleId, optimizationWorkflowId, retrainingWorkflowId } from '@autoflow/workflows';
import { startLearningWorker } from '../training/learning-worker.js';
import { endedAfter, invocations, parcelsSpec, RELEASE, settle } from './parcels.js';

const stack = useTestStack();
let store: Store;
let temporal: Client;
let api: AutoFlowClient;
let controlPlane: ControlPlane;
let worker: RunningWorker;
let sql: pg.Pool;

beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  await store.metering.maintain(30);
  sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
  const connection = await Connection.connect({ address: stack.temporal.address });
  temporal = new Client({ connection, namespace: stack.temporal.namespace });
  controlPlane = await createControlPlane({ store, temporal });
  api = createClient({ url: controlPlane.url, token: await store.access.createToken('admin', 'admin') });
  await api.pipelines.register({ spec: parcelsSpec, release: RELEASE });
  worker = await startLearningWorker(stack, 'control', ['control']);
});
afterAll(async () => {
  await worker.stop();
  await controlPlane.close();
  await temporal.connection.close();
  await sql.end();
  await store.close();
});

/** Few plans: what is proposed does not matter here. */
const small = { evaluations: 60, proposers: ['beam', 'analytic', 'gcn'], ratePerSecond: 5 } satisfies OptimizationQuestion;

async function optimized(question: OptimizationQuestion): Promise<OptimizationDetail> {
  const { id } = await api.optimizations.start('parcels', question);
  await temporal.workflow.getHandle(optimizationWorkflowId(id)).result();
  return Detail.parse(await api.optimizations.show('parcels', id));
}
const measured = (rows: Parameters<Store['metering']['writeInvocations']>[0]) => store.metering.writeInvocations(rows);
const forget = () => sql.query('delete from autoflow.invocations');

test.for<[string, string, RegExp, () => Promise<unknown>]>([
  ['nothing that was measured', 'TOO_LITTLE_DATA', /measured nothing/, async () => undefined],
  [
    'one batch size',
    'NOT_IDENTIFIABLE',
    /fixed cost cannot be told/,
    async () => {
      await settle(store, 60);
      await endedAfter(sql, 200);
      await measured(invocations('ones', Array<number>(60).fill(1)));
    },
  ],
  [
    'a workload that has changed meanwhile',
    'DRIFTING',
    /'weigh' takes \d\.\d+ times its former time/,
    async () => {
      await measured(invocations('few', mixed(60), { ago: 400 }));
      await measured(invocations('slow', mixed(160), { ago: 200, slower: 3 }));
    },
  ],
  [
    'a twin that misses what runs',
    'UNFIT',
    /misses the cost of the running version by/,
    async () => {
      await forget();
      await measured(invocations('dear', mixed(60)).map((row) => ({ ...row, costUsd: 1e-3 })));
    },
  ],
])('%s: it stops, and says why', async ([, code, reason, prepare]) => {
  await prepare();
  const { state, decisions, found } = await optimized({ dryRun: true, ...small });
  expect({ state, code: decisions.at(-1)?.code, found }).toEqual({ state: 'completed', code, found: undefined });
  expect(decisions.at(-1)?.reason).toMatch(reason);
});

test('of a workload that has changed, only what came since is looked at, where that is known', async () => {
  await forget();
  await measured(invocations('before', mixed(60), { ago: 400 }));
  await measured(invocations('since', mixed(160), { ago: 200, slower: 3 }));
  await (await begun('person', 'opt-changed', { changedAt: Date.now() - 300_000 })).result();
  const { decisions } = await api.optimizations.show('parcels', 'opt-changed');
  expect(decisions[0]!.reason).toMatch(/^640 invocations/);
  expect(decisions[1]!.code).not.toBe('DRIFTING');
});

test('measurements of several batch sizes: a dry run proposes what the checker passes, and registers nothing', async () => {
  await forget();
  await measured(invocations('mixed', mixed(60)));
  const { decisions, found, version, error, allocated, measured: measuredNow } = await optimized({ dryRun: true, ...small });
  expect(decisions.map(({ step, code }) => [step, code])).toEqual([
    ['gather', undefined],
    ['fit', undefined],
    ['propose', undefined],
    ['allocate', undefined],
    ['register', 'DRY_RUN'],
  ]);
  const { topology: stable } = await api.versions.show('parcels', version!);
  expect(checkCertificate(parcelsSpec, stable, found!.proposal!.topology, found!.proposal!.certificate)).toEqual([]);
  expect(found!.proposal!.predicted.costPer1000.all.mean).toBeLessThan(found!.running!.costPer1000.all.mean);
  expect(found!.standing.map(({ proposer }) => proposer).sort()).toEqual(['analytic', 'beam', 'gcn']);
  // What a rollout asks of it, at its first step: 5 % of all but the holdout.
  expect(found!.rollout!.ratePerSecond).toBeCloseTo(0.05 * 0.95 * measuredNow!.throughput, 6);
  expect(found!.rollout!.p95Ms).toBeLessThanOrEqual(found!.rollout!.runningP95Ms);
  expect(Math.abs(error!.costPer1000!)).toBeLessThan(0.25);
  expect(allocated!.standing.map(({ allocator }) => allocator)).toEqual(['formula', 'agent']);
  expect((await api.versions.list('parcels')).items).toHaveLength(1);
});

test('a load in bursts is played as it came: the batches are for what comes in a burst', async () => {
  const batch = async (): Promise<number> => {
    const { decisions, found } = await optimized({ dryRun: true, ...small, p95Ms: 2_000, rollout: { p95: 100 } });
    told = decisions[0]!.reason;
    return (found!.proposal!.topology as { batch: { records: number } }).batch.records;
  };
  let told = '';
  const steady = await batch();
  expect(told).not.toContain('in bursts');
  const { rows } = await sql.query<{ key: string; arrived_at: Date }>('select key, arrived_at from autoflow.records');
  // Fifteen at a time, of which one is done after the other.
  await sql.query(
    `update autoflow.records r set arrived_at = first.at, ended_at = first.at + (200 + first.n % 15 * 50) * interval '1 millisecond'
       from (select key, n, min(arrived_at) over (partition by n / 15) as at
               from (select key, arrived_at, (row_number() over (order by arrived_at) - 1)::int as n from autoflow.records) one) first
      where r.key = first.key`,
  );
  const burst = await batch();
  expect(told).toMatch(/in bursts: when a record comes, \d+\.\d\/s come/);
  expect(burst).toBeGreaterThan(steady);
  for (const { key, arrived_at } of rows) await sql.query('update autoflow.records set arrived_at = $2 where key = $1', [key, arrived_at]);
  await endedAfter(sql, 200);
});

test('dollars bound what it computes: the search ends when they are used up, and what is spent is told', async () => {
  const endless = {
    dryRun: true,
    evaluations: 100_000,
    seconds: 3_000,
    ratePerSecond: 5,
    proposers: ['annealing'],
  } satisfies OptimizationQuestion;
  const { decisions } = await optimized({ ...endless, usd: 2e-4 });
  const [gather, fit, propose] = decisions;
  expect(propose!.reason).toContain('The search was ended by its budget of $0.0002.');
  expect([gather!.usd, fit!.usd]).toEqual([undefined, expect.any(Number)]);
  const searched = fit!.usd! + propose!.usd!;
  expect(searched).toBeLessThan(2e-4);
  expect(searched).toBeGreaterThan(5e-5);

  const none = await optimized({ ...endless, usd: 1e-9 });
  expect(none.decisions.at(-1)).toMatchObject({
    step: 'fit',
    code: 'BUDGET',
    reason: 'Keep v1: the budget of $1e-9 was used up by the fit.',
  });
});

const training = { learners: 1, budget: { steps: 400 } };

/** As the schedule and expired decisions do it; what these ask for is only more. */
async function begun(by: OptimizationInput['by'], optimization: string, more: Partial<OptimizationRequest> = {}) {
  const request: OptimizationRequest = { dryRun: true, ...small, proposers: ['beam'], ...more };
  const args: [OptimizationInput] = [{ optimization, pipeline: 'parcels', request, by }];
  return temporal.workflow.start(OPTIMIZATION_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: optimizationWorkflowId(optimization),
    args,
  });
}

test('learners that nobody takes on keep nothing up, and it is said; trained ones compete for the starting allocation', async () => {
  await (await begun('person', 'opt-untaken', { training: { ...training, takenWithinMs: 500 } })).result();
  const untaken = Detail.parse(await api.optimizations.show('parcels', 'opt-untaken'));
  expect(untaken.decisions.map(({ step }) => step)).toEqual(['gather', 'fit', 'propose', 'train', 'allocate', 'register']);
  expect(untaken.decisions[3]).toMatchObject({
    verdict: 'go-on',
    code: 'NO_LEARNER',
    reason: expect.stringContaining('no worker took a learner on within 0.5 s'),
  });
  expect(untaken.allocated!.standing.map(({ allocator }) => allocator)).toEqual(['formula', 'agent']);

  // As settings say, where nobody has asked.
  await api.settings.change('parcels', { optimizeTraining: training, reason: 'a little' }, '*');
  const learners = await startLearningWorker(stack, 'learners', ['learner']);
  const trained = await begun('schedule', 'opt-trained', { usd: 1 });
  const shown = async () => Detail.parse(await api.optimizations.show('parcels', 'opt-trained'));
  await expect.poll(async () => (await shown()).progress?.step, { timeout: 30_000 }).toBe('train');
  await trained.result();
  await learners.stop();
  const { decisions, allocated, request } = await shown();
  expect(request).toMatchObject({ training });
  expect(decisions[3]).toMatchObject({
    step: 'train',
    reason: expect.stringMatching(/^1 learner took \d+ decisions \(completed\); its best.*/),
    usd: expect.any(Number),
  });
  expect(allocated!.standing.map(({ allocator }) => allocator)).toEqual(['formula', 'agent', 'trained']);
});

test('without a worker that learns, what nobody has asked for goes on at once, and says so', async () => {
  await api.settings.change('parcels', { optimizeTraining: null, reason: 'as usual' }, '*');
  await (await begun('schedule', 'opt-alone')).result();
  const { decisions, request } = Detail.parse(await api.optimizations.show('parcels', 'opt-alone'));
  expect(request).not.toHaveProperty('training');
  expect(decisions.map(({ step }) => step)).toEqual(['gather', 'fit', 'propose', 'train', 'allocate', 'register']);
  expect(decisions[3]).toMatchObject({
    verdict: 'go-on',
    code: 'NO_LEARNER',
    reason: expect.stringContaining('no live worker had the role learner'),
  });
});

test('asked for more than a proposal, it registers a version with parent, author and certificate; traffic stays where it is', async () => {
  const { registered, decisions, id } = await optimized({ ...small, reason: 'cheaper' });
  expect(decisions.at(-1)).toMatchObject({ step: 'roll-out', code: 'NOT_ALLOWED', reason: expect.stringContaining('Autonomy is suggest') });
  const version = await api.versions.show('parcels', registered!);
  expect(version).toMatchObject({ parent: 'v1', author: `optimizer/${id}`, stable: false, proposal: { optimization: id } });
  const { certificate } = await api.versions.certificate('parcels', registered!);
  const { topology: stable } = await api.versions.show('parcels', 'v1');
  expect(checkCertificate(parcelsSpec, stable, version.topology, certificate)).toEqual([]);
  expect(await api.stable.show('parcels')).toMatchObject({ version: 'v1' });
  expect((await api.audit({ pipeline: 'parcels', action: 'optimization' })).items[0]).toMatchObject({ action: 'optimization.end' });
  await expect(api.versions.certificate('parcels', 'v1')).rejects.toMatchObject({ problem: { code: 'CERTIFICATE_NONE' } });
});

test('where autonomy allows it, what was registered is rolled out', async () => {
  await api.settings.change('parcels', { autonomy: 'canary', reason: 'go on' }, '*');
  const { registered, rollout, decisions } = await optimized({ ...small, seed: 2 });
  expect(decisions.at(-1)).toMatchObject({ step: 'roll-out', verdict: 'go-on' });
  const [first] = (await api.rollouts.list('parcels')).items;
  expect(first).toMatchObject({ id: rollout, version: registered });
  const again = await optimized({ ...small, seed: 2 });
  expect(again.decisions.at(-1)).toMatchObject({ step: 'roll-out', code: 'NOT_ALLOWED' });
  await api.rollouts.abort('parcels', rollout!, 'seen');
});

test('one at a time; a process that is killed is started again; cancelled, nothing of it is left', async () => {
  const long = { dryRun: true, evaluations: 100_000, seconds: 3_000, proposers: ['annealing'] } satisfies OptimizationQuestion;
  const { id } = await api.optimizations.start('parcels', long);
  await expect(api.optimizations.start('parcels', long)).rejects.toMatchObject({ problem: { code: 'OPTIMIZATION_RUNNING' } });
  await expect.poll(async () => (await api.optimizations.show('parcels', id)).progress?.about, { timeout: 30_000 }).toBe('annealing');
  expect(await (await begun('schedule', 'opt-second')).result()).toMatchObject({
    state: 'completed',
    decisions: [{ code: 'RUNNING_ALREADY' }],
  });
  await expect(api.optimizations.show('parcels', 'opt-second')).rejects.toMatchObject({ problem: { code: 'OPTIMIZATION_UNKNOWN' } });
  const [first] = processes();
  process.kill(first!, 'SIGKILL');
  await expect.poll(() => processes().filter((pid) => pid !== first), { timeout: 30_000 }).toHaveLength(1);
  expect((await api.optimizations.show('parcels', id)).progress?.spent?.seconds).toBeGreaterThan(0);
  expect(await temporal.workflow.getHandle(optimizationWorkflowId(id)).query('progress')).toMatchObject({ step: 'propose' });
  expect(await api.optimizations.cancel('parcels', id, 'enough')).toMatchObject({ state: 'cancelled', reason: 'enough' });
  await expect(temporal.workflow.getHandle(optimizationWorkflowId(id)).result()).rejects.toThrow();
  expect(processes()).toEqual([]);
});

test('one whose workflow is gone does not keep the pipeline from the next', async () => {
  const { id } = await api.optimizations.start('parcels', { dryRun: true, evaluations: 100_000, seconds: 3_000 });
  await temporal.workflow.getHandle(optimizationWorkflowId(id)).terminate('by a test');
  await sql.query(`update autoflow.optimizations set created_at = created_at - interval '1 minute' where id = $1`, [id]);
  const { state } = await optimized({ dryRun: true, ...small });
  expect([state, (await api.optimizations.show('parcels', id)).state]).toEqual(['completed', 'failed']);
});

test('the scorer is retrained on what versions did: refused while they are too few, else held against the one that is used', async () => {
  const retrained = async () => {
    const { id } = await api.scorers.retrain('parcels', { stretch: '1h' });
    await temporal.workflow.getHandle(retrainingWorkflowId('parcels', id)).result().catch(() => undefined); // prettier-ignore
    return Scorer.parse(await api.scorers.show('parcels', id));
  };
  expect(await retrained()).toMatchObject({
    state: 'failed',
    failure: { code: 'NOT_IDENTIFIABLE', message: expect.stringContaining('and 5 are the least') },
  });
  expect((await api.scorers.list('parcels')).items).toEqual([]);

  const { topology } = await api.versions.show('parcels', 'v1');
  const names: string[] = [];
  for (const records of [1, 2, 3, 5, 9]) {
    const { version } = await api.versions.register('parcels', {
      topology: { ...topology, batch: { ...topology.batch, records }, lingerMs: 100 },
    });
    names.push(version.name);
    await didOf(version.name, records);
  }
  const found = await retrained();
  expect(found).toMatchObject({
    state: 'completed',
    about: { base: 'pretrained', seed: 1, heldOut: { versions: expect.arrayContaining([names.at(-1)]) } },
  });
  const { current, retrained: own } = found.about!.heldOut;
  expect(found.kept).toBe(own.all < current.all);
  expect(found.about!.heldOut.versions.length).toBeGreaterThanOrEqual(2);
  expect(found.about!.learnedFrom.filter((name) => found.about!.heldOut.versions.includes(name))).toEqual([]);
  expect(found.about!.dataHash).toMatch(/^[0-9a-f]{64}$/);
  expect((await store.scorers.current('parcels', RELEASE))?.id).toBe(found.kept ? found.id : undefined);
  expect((await optimized({ dryRun: true, ...small })).found?.standing.map(({ proposer }) => proposer)).toContain('gcn');

  const seen = { ...found.about!, learnedFrom: [...found.about!.learnedFrom, ...found.about!.heldOut.versions.slice(1)] };
  await store.scorers.add({ id: 'sc-seen', pipeline: 'parcels', release: RELEASE, ...(found.kept && { base: found.id }), kept: true, reason: 'nearer', about: seen, file: '{}' }); // prettier-ignore
  expect((await retrained()).failure?.message).toContain('that the scorer in use has not learned from, and 2 are the least');
  // Its file cannot be read here.
  const { standing } = (await optimized({ dryRun: true, ...small })).found!;
  expect(standing.find(({ proposer }) => proposer === 'gcn')?.note).toContain("not by the pipeline's own");
});

/** Forty records in a few seconds, eight minutes ago: later, the larger the batches. */
async function didOf(version: string, records: number): Promise<void> {
  await measured(invocations(`of-${version}`, mixed(20), { ago: 480 }).map((row) => ({ ...row, version })));
  await sql.query(
    `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
     select 'parcels', 'history', $1 || '-' || n, 'completed', 'none', $1, $2, t, t + $3::int * interval '1 millisecond'
       from generate_series(1, 40) n, lateral (select now() - interval '480 seconds' + n * interval '100 milliseconds' as t) at`,
    [version, RELEASE, 100 + 20 * records],
  );
}

test('where nothing better is there, or another release has become stable meanwhile, what runs stays, and the run says so', async () => {
  const before = (await api.versions.list('parcels')).items.length;
  const kept = await optimized({ ...small, rollout: { p95: 0.001 } });
  expect(kept.decisions.at(-1)).toMatchObject({
    step: 'propose',
    verdict: 'stop',
    code: 'NOTHING_BETTER',
    reason: expect.stringMatching(/^Keep v1: /),
  });
  expect(kept.found).not.toHaveProperty('proposal');

  const { version: stable, revision } = await api.stable.show('parcels');
  const { id } = await api.optimizations.start('parcels', { ...small, evaluations: 100_000, seconds: 4, proposers: ['annealing'] });
  await expect.poll(async () => (await api.optimizations.show('parcels', id)).progress?.step, { timeout: 30_000 }).toBe('propose');
  await api.pipelines.register({ spec: parcelsSpec, release: 'b'.repeat(64) });
  const next = (await api.versions.list('parcels')).items.find(({ release }) => release === 'b'.repeat(64))!;
  const moved = await api.stable.set('parcels', { version: next.name, reason: 'deployed' }, revision);
  await temporal.workflow.getHandle(optimizationWorkflowId(id)).result();
  const overtaken = Detail.parse(await api.optimizations.show('parcels', id));
  expect(overtaken).not.toHaveProperty('registered');
  expect(overtaken.decisions.at(-1)).toMatchObject({ step: 'register', verdict: 'stop', code: 'RELEASE_CHANGED' });
  expect((await api.versions.list('parcels')).items).toHaveLength(before + 1);
  await api.stable.set('parcels', { version: stable, reason: 'as before' }, moved.revision);
});

test('with autonomy off, what nobody has asked for computes nothing, and says so', async () => {
  await api.settings.change('parcels', { autonomy: 'off', reason: 'by hand only' }, '*');
  await (await begun('schedule', 'opt-off', { dryRun: false })).result();
  expect((await api.optimizations.show('parcels', 'opt-off')).decisions).toEqual([
    { step: 'gather', verdict: 'stop', code: 'NOT_ALLOWED', reason: expect.stringMatching(/^Nothing was searched for\. Autonomy is off/) },
  ]);
});

test('settings make a schedule, which starts optimizations and never two at once', async () => {
  const change = async (optimizeEvery: string | null) =>
    void (await api.settings.change('parcels', { optimizeEvery, optimizeTraining: training, autonomy: 'suggest', reason: 'nightly' }, '*'));
  const handle = temporal.schedule.getHandle(optimizationScheduleId('parcels'));
  const described = () => handle.describe().catch(() => undefined);
  await change('6h');
  await expect.poll(async () => (await described())?.policies.overlap, { timeout: 30_000 }).toBe('SKIP');
  // A control plane that died between the row and its workflow must not keep the schedule from its turn.
  await store.optimizations.create({ id: 'opt-left', pipeline: 'parcels', request: { dryRun: true } }, { actor: 'admin', reason: 'left' });
  await sql.query(`update autoflow.optimizations set created_at = created_at - interval '1 minute' where id = 'opt-left'`);
  const before = (await api.optimizations.list('parcels')).items.length;
  await handle.trigger();
  await expect.poll(async () => (await api.optimizations.list('parcels')).items.length, { timeout: 30_000 }).toBe(before + 1);
  const [{ id }] = (await api.optimizations.list('parcels')).items as [{ id: string }];
  await expect.poll(async () => (await api.optimizations.show('parcels', id)).progress?.step, { timeout: 30_000 }).toBe('propose');
  await api.optimizations.cancel('parcels', id);
  expect(await api.optimizations.show('parcels', id)).toMatchObject({ actor: 'schedule', request: { dryRun: false, training } });
  expect(await api.optimizations.show('parcels', 'opt-left')).toMatchObject({ state: 'failed' });
  await change(null);
  await expect.poll(described, { timeout: 30_000 }).toBeUndefined();
});

/** Every other execution has eight records. */
function mixed(executions: number): number[] {
  return Array.from({ length: executions }, (_, e) => (e % 2 === 0 ? 1 : 8));
}

/** Children of this process, where the worker runs. */
function processes(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('optimizer-process'));
}
