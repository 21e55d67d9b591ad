/** The commands of what learns and searches. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { freshParameters, parsePolicy } from '@autoflow/learning';
import { useServers } from '../testing/servers.js';

const servers = useServers();
const autoflow = (...args: string[]) => servers.autoflow(...args);
const json = (...args: string[]) => servers.json(...args);

test('a scorer is retrained and shown; none is kept yet', async () => {
  expect((await autoflow('scorer', 'list', 'retail-orders')).stdout).toContain('comes with AutoFlow');
  const begun = await json('scorer', 'retrain', 'retail-orders', '--since', '7d', '--reason', 'try it', '--no-wait');
  expect(begun).toMatchObject({ code: 0, json: { state: 'running' } });
  expect((await autoflow('scorer', 'show', 'retail-orders', begun.json.id)).stdout).toContain('is running');
});

test('trainings are listed, and shown with their reward curve', async () => {
  const { trainings } = servers.store;
  const weights = Float32Array.of(1);
  await trainings.create({ id: 'optimization-opt-1', settings: {}, weights });
  await trainings.addPoint('optimization-opt-1', { steps: 100, seconds: 7, version: 0, score: 3.2, cost: 2.2, late: 0.05 }, weights);
  expect((await autoflow('trainings', 'list')).stdout).toMatch(/optimization-opt-1 +running +0 +0/);
  expect((await autoflow('trainings', 'show', 'optimization-opt-1')).stdout).toMatch(/100 +7 s +3\.2 +2\.2 +5 % +best/);
  // Of another network than this one: nothing to decide by.
  expect(await json('trainings', 'export', 'optimization-opt-1', '--to', join(servers.folder, 'policy.json'))).toMatchObject({
    code: 1,
    json: { error: { code: 'OTHER_NETWORK' } },
  });
  expect((await autoflow('trainings', 'show', 'optimization-opt-1')).stdout).toContain('of a3c, of what load is not known');
  const data = { source: 'made-up', functions: 100, seed: 1 };
  await trainings.create({ id: 'whole', settings: { algorithm: 'ppo', data }, weights: freshParameters(1) });
  expect((await autoflow('trainings', 'show', 'whole')).stdout).toContain('of ppo, on made-up load');
  await trainings.addPoint('whole', { steps: 100, seconds: 7, version: 0, score: 3.2, cost: 2.2, late: 0.05 }, freshParameters(1));
  expect(await json('trainings', 'export', 'whole', '--to', join(servers.folder, 'policy.json'))).toMatchObject({
    code: 0,
    json: { version: 0 },
  });
  const policy = parsePolicy(await readFile(join(servers.folder, 'policy.json'), 'utf8'));
  expect(policy).toMatchObject({
    parameters: freshParameters(1),
    trained: { training: 'whole', score: 3.2, settings: { algorithm: 'ppo', data } },
  });
  expect(await json('trainings', 'show', 'nowhere')).toMatchObject({ code: 1, json: { error: { code: 'TRAINING_UNKNOWN' } } });
});

test('optimizing again and again is set and shown, with what it trains', async () => {
  const every = (...args: string[]) => json('optimize', 'retail-orders', '--every', ...args, '--reason', 'nightly');
  expect(await every('6h')).toMatchObject({ code: 0, json: { optimizeEvery: '6h', optimizeTraining: 'auto' } });
  expect((await autoflow('autonomy', 'retail-orders')).stdout).toMatch(/every 6h\nlearners +one for each worker with the role learner/);
  expect(await every('6h', '--learners', '2', '--steps', '1000')).toMatchObject({
    code: 0,
    json: { optimizeTraining: { learners: 2, budget: { steps: 1000 } } },
  });
  expect((await autoflow('autonomy', 'retail-orders')).stdout).toMatch(/learners +2, 1000 decisions/);
  const how = ['--algorithm', 'ppo', '--training-seed', '7', '--patience', '2'];
  expect(await every('6h', '--learners', '2', '--steps', '1000', ...how)).toMatchObject({
    code: 0,
    json: { optimizeTraining: { learners: 2, budget: { steps: 1000 }, algorithm: 'ppo', seed: 7, patience: 2 } },
  });
  expect((await autoflow('autonomy', 'retail-orders')).stdout).toMatch(/learners +2, 1000 decisions, ppo, seed 7, patience 2/);
  // Of nobody's learning, or of one that is not there.
  expect(await every('6h', '--learners', 'auto', ...how)).toMatchObject({ code: 2 });
  expect(await json('optimize', 'retail-orders', '--algorithm', 'ppo')).toMatchObject({ code: 2 });
  expect(await json('optimize', 'retail-orders', '--learners', '1', '--algorithm', 'dqn')).toMatchObject({ code: 2 });
  expect(await every('off', '--learners', 'auto')).toMatchObject({ code: 0, json: { optimizeTraining: 'auto' } });
  expect(await json('optimize', 'retail-orders', '--learners', 'auto')).toMatchObject({ code: 2 });
});

test('an optimization is asked for with its bounds, and cancelled', async () => {
  const bounds = [
    '--budget-usd',
    '0.05',
    '--budget',
    '60',
    '--rollout-rate',
    '8/s',
    '--learners',
    '2',
    '--steps',
    '400',
    '--algorithm',
    'ppo',
  ];
  const begun = await json('optimize', 'retail-orders', ...bounds);
  expect(begun).toMatchObject({
    code: 0,
    json: {
      state: 'running',
      request: {
        usd: 0.05,
        evaluations: 60,
        rollout: { ratePerSecond: 8 },
        training: { learners: 2, budget: { steps: 400 }, algorithm: 'ppo' },
      },
    },
  });
  expect(await json('optimizations', 'cancel', 'retail-orders', begun.json.id)).toMatchObject({ code: 0, json: { state: 'cancelled' } });
  expect(await json('optimize', 'retail-orders', '--budget-usd', 'little')).toMatchObject({ code: 2 });
});

test('a dry run is waited for; one that is cancelled meanwhile is no answer: 1', async () => {
  const before = await optimizations();
  const waiting = json('optimize', 'retail-orders', '--dry-run', '--budget', '60');
  const id = await vi.waitFor(
    async () => {
      const begun = (await optimizations()).find((one) => !before.some((known) => known.id === one.id));
      expect(begun).toMatchObject({ state: 'running', request: { dryRun: true, evaluations: 60 } });
      return begun!.id;
    },
    { timeout: 60_000, interval: 500 },
  );
  await json('optimizations', 'cancel', 'retail-orders', id);
  expect(await waiting).toMatchObject({ code: 1, json: { id, state: 'cancelled', reason: 'cancelled over the API' } });
});

async function optimizations(): Promise<{ readonly id: string }[]> {
  return (await json('optimizations', 'list', 'retail-orders')).json;
}
