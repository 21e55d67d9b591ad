/** Learners as activities, on real servers: they share parameters, go on after a kill, and stop when they are told to. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { CONTROL_QUEUE, type TrainingInput, type TrainingResult } from '@autoflow/topology';
import { createWorker, type Role, type RunningWorker } from '@autoflow/worker';
import { TRAINING_WORKFLOW, trainingWorkflowId } from '@autoflow/workflows';

const stack = useTestStack();
const program = createRequire(import.meta.url).resolve('@autoflow/learning/learner');
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
  workers.push(
    await createWorker({
      roles,
      temporal: stack.temporal,
      databaseUrl: stack.databaseUrl,
      batchStore: { driver: 'file', folder: stack.folder },
      releases: stack.folder,
      secret: () => undefined,
      host,
      logLevel: 'error',
      learner: { program },
    }),
  );
}

const small = { settings: { environments: 2, horizon: 5 }, updates: 2, validateEvery: 200 };

async function start(input: Omit<TrainingInput, 'settings' | 'updates' | 'validateEvery'>) {
  return await client.workflow.start(TRAINING_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: trainingWorkflowId(input.training),
    args: [{ ...small, ...input } satisfies TrainingInput],
  });
}

test('two learners on two workers share what they learn, and the curve is kept', async () => {
  const handle = await start({ training: 'both', learners: 2, budget: { steps: 400 } });
  const result = (await handle.result()) as TrainingResult;
  expect(result).toMatchObject({ outcome: 'completed' });
  expect(result.steps).toBeGreaterThanOrEqual(400);
  const curve = await store.trainings.curve('both');
  expect(curve.length).toBeGreaterThanOrEqual(2);
  expect(result.best?.score).toBe(Math.min(...curve.map(({ score }) => score)));
  expect(await store.trainings.get('both')).toMatchObject({ outcome: 'completed', version: result.version });
});

test('a training that is cancelled keeps what it has and leaves no learner behind', async () => {
  const handle = await start({ training: 'endless', learners: 1, budget: { steps: 1e9 } });
  await expect.poll(async () => (await store.trainings.get('endless'))?.version ?? 0, { timeout: 30_000 }).toBeGreaterThan(1);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const ended = await store.trainings.get('endless');
  expect(ended).toMatchObject({ outcome: 'cancelled' });
  expect((await store.trainings.get('endless'))?.version).toBe(ended!.version);
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

/** Children of this process, where the workers run. */
function learnerProcesses(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('learner-process'));
}
