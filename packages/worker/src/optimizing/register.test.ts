/** Steps of an optimization whose rows are there, beside no server but the database: what comes of a proposal, what is trained for it, and a search that is killed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncLocalStorage } from '@temporalio/activity';
import { envelopeOf, type Budget, type Finished, type Problem } from '@autoflow/optimizer';
import { openStore, type Store } from '@autoflow/store';
import { useTestStack } from '@autoflow/local-stack/testing';
import { hashTopology, hashVersion, MOST_LEARNERS, ROLLOUT_DEFAULTS, USUAL_BUDGET, type Topology } from '@autoflow/topology';
import { certify } from '@autoflow/topology/rewrites';
import { functionModel, LOCAL_HOST } from '@autoflow/twin';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { optimizationActivities } from '../activities/optimization-activities.js';
import { usdOf } from './budget.js';
import type { Job, OptimizingPorts } from './job.js';
import { Meter } from './meter.js';
import { NOBODY_LEARNS, ownTraining } from './own-training.js';
import { problemOf, proposeTopologies, type ProposalDocument } from './propose.js';
import { registerProposal } from './register.js';

const stack = useTestStack();
const by = { actor: 'tester', reason: 'because' };
const retry = { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 };
const node = { kind: 'function', effect: 'pure', inputs: [], scope: [], uses: [], batched: false, timeoutMs: 1000, retry } as const;
const nodes = [{ ...node, id: 'parse', name: 'parse', reads: ['id'], writes: ['parsed'] }];
const spec = {
  name: 'orders',
  key: 'id',
  input: ['id'],
  output: ['id', 'parsed'],
  nodes,
  resources: [],
  schemas: { input: {}, output: {} },
};
const topology: Topology = {
  stages: [{ name: 'parse', nodes: ['parse'], after: [], partitions: 1 }],
  batch: { records: 1, bytes: 1024 },
  lingerMs: 0,
};
const envelope = { parse: { memoryMb: [512, 1024], concurrency: { min: 1, max: 16 } } };
const running = { parse: { memoryMb: 1024, concurrency: 8 } };
const found = { parse: { memoryMb: 512, concurrency: 3 } };
let store: Store;
let ports: OptimizingPorts;
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  await store.definitions.registerRelease({
    release: { pipeline: 'orders', hash: 'r1', spec },
    topology,
    envelope,
    allocation: running,
    by,
  });
  ports = { store, program: 'none', cores: 2, isRunning: async () => false };
});
afterAll(() => store.close());

/** Answers what writes the documents of the steps that follow. */
async function gatherAndFit(id: string) {
  const document = (step: 'gather' | 'fit' | 'propose' | 'allocate', written: object) =>
    store.optimizations.finishStep(id, {
      decision: { step, verdict: 'go-on', reason: 'so' },
      document: written,
      ...(step === 'gather' && { set: { version: 'v1' } }),
    });
  await document('gather', { version: 'v1', release: 'r1', until: new Date(), measured: { throughput: 10 }, ratePerSecond: 10 });
  await document('fit', { models: { parse: functionModel({ cpuPerRecordMs: 1 }) }, host: LOCAL_HOST, recordBytes: 100 });
  return document;
}

let count = 0;
/** An optimization of v1 that has found this topology, to be run with `found`. */
async function proposed(of: Topology, rewrites: Parameters<typeof certify>[3] = []): Promise<Job> {
  const id = `opt-${++count}`;
  await store.optimizations.create({ id, pipeline: 'orders', request: { dryRun: false } }, by);
  const document = await gatherAndFit(id);
  const proposal = {
    topology: of,
    allocation: found,
    proposer: 'beam',
    predicted: {},
    gain: {},
    certificate: certify(spec, topology, of, rewrites),
  };
  await document('propose', { proposal, front: [], gap: {}, standing: [], scored: [] });
  await document('allocate', { allocation: found, by: 'formula', standing: [] });
  const row = (await store.optimizations.get(id))!;
  await store.optimizations.close(id, { state: 'completed', reason: 'in the test' }, by);
  return { row, signal: new AbortController().signal, told: () => undefined, meter: new Meter() };
}
const allocation = async (version: string) => (await store.definitions.allocation('orders', version))!;
const autonomy = (to: 'suggest' | 'auto') => store.settings.change({ pipeline: 'orders', change: { autonomy: to }, by });

test('memory and instances alone make no version: set where autonomy allows it, else said; a clamp is kept', async () => {
  const suggested = await registerProposal(ports, await proposed(topology));
  expect(suggested.decision).toMatchObject({
    verdict: 'stop',
    code: 'NOT_ALLOWED',
    reason: expect.stringMatching(/^v1 keeps its topology; only its allocation would change: parse 3 × 512 MB\..*Autonomy is suggest/),
  });
  expect((await allocation('v1')).stages).toEqual(running);

  await autonomy('auto');
  await store.definitions.setAllocation({
    pipeline: 'orders',
    version: 'v1',
    stages: running,
    clamps: { parse: { concurrency: { min: 5, max: 16 } } },
    by,
  });
  const clamped = await registerProposal(ports, await proposed(topology));
  expect(clamped.decision).toMatchObject({ code: 'NOT_ALLOWED', reason: expect.stringContaining('parse is clamped by an operator') });
  await store.definitions.setAllocation({ pipeline: 'orders', version: 'v1', stages: running, clamps: {}, by });

  const job = await proposed(topology);
  const { decision } = await registerProposal(ports, job);
  expect(decision).toMatchObject({ verdict: 'stop', code: 'ALLOCATED' });
  expect(await allocation('v1')).toMatchObject({ stages: found, actor: `optimizer/${job.row.id}` });
  expect(await store.definitions.versions('orders')).toHaveLength(1);
});

test('a version that is there already starts with what was found for it now, unless it has traffic', async () => {
  const steps = [{ rewrite: 'batch-size' as const, records: 5, bytes: topology.batch.bytes }];
  const batched = { ...topology, batch: { ...topology.batch, records: 5 } };
  const job = await proposed(batched, steps);
  const problem: Problem = await problemOf(ports, job);
  const own = envelopeOf(problem, batched);
  await store.definitions.registerVersion({
    pipeline: 'orders',
    hash: hashVersion({ release: 'r1', topology: batched, envelope: own }),
    release: 'r1',
    topology: batched,
    envelope: own,
    allocation: running,
    by,
  });
  await store.arms.setArms({ pipeline: 'orders', candidate: { version: 'v2', share: 500 }, by });
  const busy = await registerProposal(ports, job);
  expect(busy).toMatchObject({
    set: { registered: 'v2' },
    decision: { reason: expect.stringMatching(/its allocation stays .*it has traffic/) },
  });
  expect((await allocation('v2')).stages).toEqual(running);

  await store.arms.setArms({ pipeline: 'orders', by });
  expect(await registerProposal(ports, job)).toMatchObject({ set: { registered: 'v2' }, decision: { verdict: 'go-on' } });
  expect((await allocation('v2')).stages).toEqual(found);
});

test('what nobody asked for is trained by the workers that learn, or as settings say', async () => {
  const training = (of: Pick<Store, 'settings' | 'fleet'> = store) => ownTraining(of, 'orders');
  const set = (optimizeTraining: Parameters<Store['settings']['change']>[0]['change']['optimizeTraining']) =>
    store.settings.change({ pipeline: 'orders', change: { optimizeTraining: optimizeTraining! }, by });
  const joins = (host: string, roles: string[]) => store.fleet.beat({ host, incarnation: crypto.randomUUID(), roles, version: '1' }, []);
  await joins('one', ['functions', 'control']);
  expect(await training()).toEqual({ untrained: NOBODY_LEARNS });
  await joins('two', ['learner']);
  await joins('three', ['functions', 'learner']);
  expect(await training()).toEqual({ training: { learners: 2, budget: USUAL_BUDGET } });
  const hosts = async () => Array.from({ length: MOST_LEARNERS }, () => store.fleet.hosts());
  const many = { settings: store.settings, fleet: { ...store.fleet, hosts: async () => (await Promise.all(await hosts())).flat() } };
  expect(await training(many)).toEqual({ training: { learners: MOST_LEARNERS, budget: USUAL_BUDGET } });
  await set('off');
  expect(await training()).toEqual({});
  const own = { learners: 3, budget: { steps: 9 } };
  await set(own);
  expect(await training()).toEqual({ training: own });
});

/** Answers what it was asked with; but the first time it is killed, when one of its proposers has finished. */
const KILLED_ONCE = `
process.on('message', ({ budget, finished = [] }) => {
  const standing = { proposer: 'beam', evaluations: 3, ms: 4 };
  const progress = { kind: 'progress', proposer: 'annealing', done: 1, of: 2, finished: { standing, evaluations: [], isCut: false } };
  if (finished.length === 0) return process.send(progress, () => process.kill(process.pid, 'SIGKILL'));
  const proposed = { reason: JSON.stringify({ budget, finished }), start: {}, front: [], gap: {}, standing: [] };
  process.send({ proposed, scored: [], cpuMs: 1000 });
});`;

test('a search that is killed has spent what it has, and goes on behind who had finished in it', async () => {
  const program = join(stack.folder, 'killed-once.mjs');
  await writeFile(program, KILLED_ONCE);
  const id = 'opt-killed';
  await store.optimizations.create({ id, pipeline: 'orders', request: { dryRun: true, usd: 1 } }, by);
  await gatherAndFit(id);
  const { proposeTopologies } = optimizationActivities({ ...ports, program });
  const context = { heartbeat: () => undefined, cancellationSignal: new AbortController().signal };
  const propose = () => asyncLocalStorage.run(context as never, () => proposeTopologies({ optimization: id }));
  const progress = async () => (await store.optimizations.get(id))!.progress!;

  await expect(propose()).rejects.toThrow('SIGKILL');
  await expect.poll(() => store.optimizations.parts(id, 'propose')).toHaveLength(1);
  await expect.poll(progress).toMatchObject({ step: 'propose', about: 'annealing', done: 1, of: 2 });
  const { spent } = await progress();
  expect(spent!.usd).toBeGreaterThan(0);
  expect(spent!.usd).toBeCloseTo(usdOf(1000 * spent!.seconds), 9);

  const { usd } = await propose();
  expect(usd).toBeCloseTo(spent!.usd + usdOf(1000), 12);
  const { reason } = (await store.optimizations.document(id, 'propose')) as { reason: string };
  const { budget, finished } = JSON.parse(reason) as { budget: Budget; finished: Finished[] };
  expect(finished.map(({ standing }) => standing.proposer)).toEqual(['beam']);
  expect(usdOf(budget.cpuMs!)).toBeCloseTo(0.8 * (1 - spent!.usd), 9);
  expect(budget.ms).toBeCloseTo(45_000 - 1000 * spent!.seconds, 6);
  expect(await store.optimizations.parts(id, 'propose')).toEqual([]);
  await store.optimizations.close(id, { state: 'completed', reason: 'in the test' }, by);
});

/** Proposes nothing, and says what it was asked to leave out. */
const ASKED = `
process.on('message', ({ problem }) => {
  const proposed = { reason: 'so.', start: {}, front: [], gap: problem.excluded ?? [], standing: [] };
  process.send({ proposed, scored: [], cpuMs: 1 });
});`;

test('what rollouts have taken back is left out of the search, and it is said; what runs is no candidate', async () => {
  const program = join(stack.folder, 'asked.mjs');
  await writeFile(program, ASKED);
  const searched = async (id: string) => {
    await store.optimizations.create({ id, pipeline: 'orders', request: { dryRun: true } }, by);
    await gatherAndFit(id);
    const job = {
      row: (await store.optimizations.get(id))!,
      signal: new AbortController().signal,
      told: () => undefined,
      meter: new Meter(),
    };
    const { document, decision } = await proposeTopologies({ ...ports, program }, job);
    await store.optimizations.close(id, { state: 'completed', reason: 'in the test' }, by);
    return [(document as ProposalDocument).gap, decision.reason];
  };
  expect(await searched('opt-none-back')).toEqual([[], 'Keep v1: so.']);
  const rolledBack = async (of: Topology) => {
    const about = { pipeline: 'orders', release: 'r1', topology: of, envelope, allocation: running, by };
    const { version } = await store.definitions.registerVersion({ ...about, hash: `back ${of.batch.records}` });
    const rollout = { id: `ro-${version.name}`, pipeline: 'orders', version: version.name, own: true, settings: ROLLOUT_DEFAULTS };
    await store.rollouts.create(rollout, by);
    await store.rollouts.end({ id: rollout.id, outcome: 'rolled-back', by });
    return version.name;
  };
  const nine = { ...topology, batch: { ...topology.batch, records: 9 } };
  const back = await rolledBack(nine);
  await rolledBack(topology);
  expect(await searched('opt-back')).toEqual([[hashTopology(nine)], `Keep v1: so. Left out is what rollouts took back: ${back}.`]);
});
