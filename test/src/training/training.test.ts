/** Learners as activities, on real servers: they share parameters, go on after a kill, and stop when they are told to. */
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { CONTROL_QUEUE, type TrainingInput, type TrainingResult } from '@autoflow/topology';
import type { Role, RunningWorker } from '@autoflow/worker';
import { TRAINING_WORKFLOW, trainingWorkflowId } from '@autoflow/workflows';
import { startLearningWorker } from './learning-worker.js';

const stack = useTestStack();
let store: Store;
let client: Client;
let sql: pg.Pool;
const workers: RunningWorker[] = [];

beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
  client = new Client({ connection: await Connection.connect({ address: stack.temporal.address }), namespace: stack.temporal.namespace });
  await startWorker('control', ['control']);
  await startWorker('one', ['learner']);
  await startWorker('two', ['learner']);
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await client.connection.close();
  await sql.end();
  await store.close();
});

async function startWorker(host: string, roles: Role[]): Promise<void> {
  workers.push(await startLearningWorker(stack, host, roles));
}

const small = { settings: { environments: 2, horizon: 5 }, updates: 2, validateEvery: 200 };

async function start(input: Pick<TrainingInput, 'training' | 'learners' | 'budget'> & Partial<TrainingInput>) {
  return await client.workflow.start(TRAINING_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: trainingWorkflowId(input.training),
    args: [{ ...small, ...input } satisfies TrainingInput],
  });
}

test('two learners share what they learn, and the curve is kept', async () => {
  const handle = await start({ training: 'both', learners: 2, budget: { steps: 1e9 } });
  // Each has added to what the other had added, be it several versions ago: one that is faster may be done before the other has begun, with any budget.
  const shared = async () => {
    const { rows } = await sql.query<{ learner: number }>(
      `select distinct p.learner from autoflow.training_parameters p join autoflow.training_parameters b on b.training = p.training and b.version <= p.base
        where p.training = 'both' and b.learner <> p.learner order by p.learner`,
    );
    return rows.map(({ learner }) => learner);
  };
  await expect.poll(shared, { timeout: 90_000 }).toEqual([0, 1]);
  await expect.poll(async () => (await store.trainings.curve('both')).length, { timeout: 90_000 }).toBeGreaterThanOrEqual(2);
  await store.trainings.end('both', 'completed');
  const result = (await handle.result()) as TrainingResult;
  expect(result).toMatchObject({ outcome: 'completed' });
  const curve = await store.trainings.curve('both');
  expect(result.best?.score).toBe(Math.min(...curve.map(({ score }) => score)));
  expect(await store.trainings.get('both')).toMatchObject({
    outcome: 'completed',
    version: result.version,
    settings: { data: { source: 'made-up', functions: 100 } },
  });
});

test('a budget of steps is used up, not much more', async () => {
  const handle = await start({ training: 'budgeted', learners: 2, budget: { steps: 400 } });
  const result = (await handle.result()) as TrainingResult;
  expect(result).toMatchObject({ outcome: 'completed' });
  expect(result.steps).toBeGreaterThanOrEqual(400);
  expect(result.steps).toBeLessThan(500);
});

test('without progress all of them end, long before the budget does', async () => {
  const settings = { ...small.settings, learningRate: 0 };
  const handle = await start({ training: 'still', learners: 2, budget: { steps: 1e6 }, patience: 1, settings });
  const result = (await handle.result()) as TrainingResult;
  expect(result).toMatchObject({ outcome: 'stopped-early' });
  expect(result.steps).toBeLessThan(100_000);
  expect(learnerProcesses()).toEqual([]);
});

test('a training that has used up its time ends with what it has', async () => {
  const handle = await start({ training: 'timed', learners: 1, budget: { steps: 1e9, seconds: 1 }, validateEvery: 1e8 });
  const result = (await handle.result()) as TrainingResult;
  expect(result).toMatchObject({ outcome: 'completed' });
  expect(result.steps).toBeGreaterThan(0);
  // However few steps it has made: what it ends with was judged.
  expect(result.best).toMatchObject({ version: expect.any(Number) });
  expect(learnerProcesses()).toEqual([]);
});

test('a training of another network is not learned on, and says of which it is', async () => {
  const network = { observed: 41, actions: 12, parameters: 2 };
  await store.trainings.create({ id: 'other', settings: { ...small.settings, network }, weights: Float32Array.of(1, 2) });
  const handle = await start({ training: 'other', learners: 1, budget: { steps: 1e9 } });
  const failure = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message;
  await expect.poll(failure, { timeout: 30_000 }).toMatch(/the training is of another network \(.*41.*\) than this worker's/);
  expect(await store.trainings.get('other')).toMatchObject({ version: 0, steps: 0 });
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
});

test('a training that is cancelled keeps what it has and leaves no learner behind', async () => {
  const handle = await start({ training: 'endless', learners: 1, budget: { steps: 1e9 } });
  await expect.poll(async () => (await store.trainings.get('endless'))?.version ?? 0, { timeout: 30_000 }).toBeGreaterThan(1);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(learnerProcesses()).toEqual([]);
  const ended = await store.trainings.get('endless');
  expect(ended).toMatchObject({ outcome: 'cancelled' });
  expect((await store.trainings.pull('endless')).version).toBe(ended!.version);
});

test('a learner whose process is killed goes on from what is stored', async () => {
  const handle = await start({ training: 'killed', learners: 1, budget: { steps: 1_000 } });
  const version = async (): Promise<number> => (await store.trainings.get('killed'))?.version ?? 0;
  await expect.poll(version, { timeout: 30_000 }).toBeGreaterThan(9);
  const learners = learnerProcesses();
  expect(learners).toHaveLength(1);
  process.kill(learners[0]!, 'SIGKILL');
  const before = await version();
  expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  const { rows } = await sql.query<{ versions: string }>(
    `select string_agg(version::text, ',' order by version) as versions from autoflow.training_parameters where training = 'killed' and version <= $1`,
    [before],
  );
  // Nothing that was pushed before is gone, and nothing began anew.
  expect(rows[0]!.versions.split(',').at(-1)).toBe(String(before));
  expect(await version()).toBeGreaterThan(before);
  expect(await store.trainings.resume('killed', 0)).toBeInstanceOf(Buffer);
  expect(learnerProcesses()).toEqual([]);
});

test('a learner that comes to what is no number says so, keeps nothing of it and is started again', async () => {
  const settings = { ...small.settings, learningRate: 1e39 };
  const handle = await start({ training: 'wild', learners: 1, budget: { steps: 1e9 }, updates: 1, settings });
  const failure = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message;
  await expect.poll(failure, { timeout: 30_000 }).toMatch(/learner 0 came to numbers that are not finite/);
  expect(await store.trainings.get('wild')).toMatchObject({ version: 0, steps: 0 });
  expect(await store.trainings.resume('wild', 0)).toBeUndefined();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
});

test('a learner does not go on from a state with what is no number', async () => {
  const state = Buffer.from((await store.trainings.resume('killed', 0))!);
  state.writeFloatLE(Number.NaN, state.length - 4);
  const { weights } = await store.trainings.pull('killed');
  await store.trainings.create({ id: 'poisoned', settings: small.settings, weights });
  await store.trainings.checkpoint('poisoned', 0, state);
  expect(await (await start({ training: 'poisoned', learners: 1, budget: { steps: 100 } })).result()).toMatchObject({
    outcome: 'completed',
  });
});

/** Children of this process, where the workers run. */
function learnerProcesses(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('learner-process'));
}
