/** A training whose workers are processes, one of which is killed: its learners go on under the other. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { CONTROL_QUEUE, type TrainingInput } from '@autoflow/topology';
import type { RunningWorker } from '@autoflow/worker';
import { TRAINING_WORKFLOW, trainingWorkflowId } from '@autoflow/workflows';
import { startLearningWorker } from './learning-worker.js';
import { childrenOf } from '../bench/cpu.js';

const WORKER = fileURLToPath(new URL('../../../apps/worker/dist/main.js', import.meta.url));
const TRAINING = 'lost';

const stack = useTestStack();
let store: Store;
let client: Client;
let sql: pg.Pool;
let control: RunningWorker;
const hosts: ChildProcess[] = [];

beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
  client = new Client({ connection: await Connection.connect({ address: stack.temporal.address }), namespace: stack.temporal.namespace });
  control = await startLearningWorker(stack, 'control', ['control']);
});
afterAll(async () => {
  for (const host of hosts) host.kill('SIGKILL');
  await control.stop();
  await client.connection.close();
  await sql.end();
  await store.close();
});

async function startHost(name: string): Promise<ChildProcess> {
  const host = fork(WORKER, {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: stack.temporal.address,
      TEMPORAL_NAMESPACE: stack.temporal.namespace,
      TEMPORAL_CONFIG_FILE: process.env['TEMPORAL_CONFIG_FILE'],
      AUTOFLOW_RELEASES: stack.folder,
      AUTOFLOW_BATCHES: `file:${join(stack.folder, 'batches')}`,
      AUTOFLOW_HOST: name,
      AUTOFLOW_ROLES: 'learner',
      // Beside other tests, whom no learner has to make room for.
      AUTOFLOW_LEARNER_SHARE: '1',
    },
    // Not those of the test runner: this is the built program.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  hosts.push(host);
  await Promise.race([
    once(host, 'message'),
    once(host, 'exit').then(() => Promise.reject(new Error(`${name} ended before it took work`))),
  ]);
  return host;
}

const versionOf = async (): Promise<number> => (await store.trainings.get(TRAINING))?.version ?? 0;
/** Who has added to the parameters beyond a version. */
async function pushersSince(version: number): Promise<number[]> {
  const { rows } = await sql.query<{ learner: number }>(
    'select distinct learner from autoflow.training_parameters where training = $1 and version > $2 order by learner',
    [TRAINING, version],
  );
  return rows.map(({ learner }) => learner);
}

test('the learners of a worker that is killed go on under another, from what is stored, and leave no process behind', async () => {
  const one = await startHost('one');
  const handle = await client.workflow.start(TRAINING_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: trainingWorkflowId(TRAINING),
    args: [
      {
        training: TRAINING,
        learners: 2,
        budget: { steps: 1e9 },
        settings: { environments: 2, horizon: 5 },
        updates: 2,
        validateEvery: 1e8,
      } satisfies TrainingInput,
    ],
  });
  const underWhom = async (): Promise<string[]> =>
    ((await handle.describe()).raw.pendingActivities ?? []).map(({ lastWorkerIdentity }) => lastWorkerIdentity ?? '').sort();
  await expect.poll(() => pushersSince(0), { timeout: 90_000 }).toEqual([0, 1]);
  expect(await underWhom()).toEqual(['one/learner', 'one/learner']);

  await startHost('two');
  const processes = childrenOf(one.pid!, 'learner-process');
  expect(processes).toHaveLength(2);
  one.kill('SIGKILL');
  await once(one, 'exit');
  const killedAt = await versionOf();
  // Missed after a heartbeat timeout of 15 s.
  await expect.poll(underWhom, { timeout: 90_000 }).toEqual(['two/learner', 'two/learner']);
  const takenAt = await versionOf();
  expect(takenAt).toBeGreaterThanOrEqual(killedAt);
  await expect.poll(() => pushersSince(takenAt), { timeout: 90_000 }).toEqual([0, 1]);
  expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);

  await store.trainings.end(TRAINING, 'completed');
  expect(await handle.result()).toMatchObject({ outcome: 'completed' });
});
