/** A learner over a real store; its process is one whose changes are known. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import type { LearnRequest } from '@autoflow/topology';
import { learn } from './learn.js';

const stack = useTestStack();
let store: Store;
let sql: pg.Pool;
let folder: string;
let program: string;
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
  folder = await mkdtemp(join(tmpdir(), 'autoflow-learn-'));
  program = join(folder, 'learner.mjs');
  // Every change is one, of ten decisions; each validation is better than the one before, unless the seed is 9.
  await writeFile(
    program,
    `let [judged, seed] = [0, 0];
     process.on('message', (request) => {
       if (request.kind === 'begin') {
         seed = request.settings.seed;
         process.send({ kind: 'begun', fresh: Float32Array.of(0, 0), network: { parameters: 2 }, data: { source: 'made-up', functions: 7, seed: 1, beside: request.beside } });
       }
       if (request.kind === 'learn') process.send({ kind: 'learned', delta: Float32Array.of(1, 1), steps: 10, state: Uint8Array.of(1) });
       if (request.kind === 'validate') process.send({ kind: 'validated', score: seed === 9 ? 1 : 100 - judged++, cost: 1, late: 0 });
     });`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await sql.end();
  await store.close();
});

let training: string;
beforeEach(() => {
  training = crypto.randomUUID();
});

type Trainings = Store['trainings'];
const run = (
  request: Partial<LearnRequest> & Pick<LearnRequest, 'budget'>,
  over: (trainings: Trainings) => Partial<Trainings> = () => ({}),
  beside?: number,
) =>
  learn(
    { training, learner: 0, learners: 1, ...request },
    { store: { trainings: { ...store.trainings, ...over(store.trainings) } }, program, ...(beside !== undefined && { beside }) },
    new AbortController().signal,
    () => undefined,
  );
/** Another learner's. */
const push = (base: number) => store.trainings.push({ training, learner: 1, base, delta: Float32Array.of(1, 1), steps: 10 });
const own = async () => {
  const { rows } = await sql.query<{ version: number; base: number }>(
    'select version, base from autoflow.training_parameters where training = $1 and learner = 0 order by version',
    [training],
  );
  return rows;
};

test('learns from no older parameters than it has seen, where the latest are damaged meanwhile', async () => {
  await store.trainings.create({ id: training, settings: {}, weights: Float32Array.of(0, 0) });
  for (const base of [0, 1, 2]) await push(base);
  let pulls = 0;
  const pull: Trainings['pull'] = async (id) => {
    const pulled = await store.trainings.pull(id);
    if (++pulls === 1) {
      expect(pulled.version).toBe(3);
      await sql.query(`update autoflow.training_parameters set weights = '\\x0000' where training = $1 and version = 3`, [training]);
    } else if (pulls === 2) expect(pulled.version).toBe(2);
    return pulled;
  };
  expect(await run({ budget: { steps: 35 }, validateEvery: 1e6 }, () => ({ pull }))).toBe('budget');
  expect(await own()).toEqual([{ version: 4, base: 3 }]);
});

test('learns from what the others have come to while it judged', async () => {
  const addPoint: Trainings['addPoint'] = async (id, point, weights) => {
    await store.trainings.addPoint(id, point, weights);
    for (let more = 0; more < 3; more++) await push(point.version);
  };
  expect(await run({ budget: { steps: 60 }, validateEvery: 10 }, () => ({ addPoint }))).toBe('budget');
  // After the first exchange it judges version 1, and goes on from version 4; and so on.
  expect(await own()).toEqual([
    { version: 1, base: 0 },
    { version: 5, base: 4 },
    { version: 9, base: 8 },
  ]);
});

test('writes down how it learns and from what data; what was asked for in the order goes before the usual', async () => {
  await run({ budget: { steps: 10 }, algorithm: 'ppo', seed: 3, settings: { horizon: 5, seed: 1 } });
  expect(await store.trainings.get(training)).toMatchObject({
    settings: {
      ...{ algorithm: 'ppo', seed: 3, horizon: 5, steps: 10 },
      data: { source: 'made-up', functions: 7, seed: 1 },
      network: { parameters: 2 },
    },
  });
});

test('its process is told how much it may use beside others', async () => {
  await run({ budget: { steps: 10 } }, undefined, 0.25);
  expect(await store.trainings.get(training)).toMatchObject({ settings: { data: { beside: 0.25 } } });
});

test('ends early after as many validations without a better one as it was given, and never without', async () => {
  expect(await run({ budget: { steps: 200 }, validateEvery: 10, seed: 9, patience: 2 })).toBe('no-progress');
  expect(await store.trainings.curve(training)).toHaveLength(3);
  expect(await store.trainings.get(training)).toMatchObject({ outcome: 'stopped-early', steps: 30 });
  training = crypto.randomUUID();
  expect(await run({ budget: { steps: 100 }, validateEvery: 10, seed: 9 })).toBe('budget');
  expect(await store.trainings.curve(training)).toHaveLength(10);
});
