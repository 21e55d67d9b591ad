import { expect, test } from 'vitest';
import { TrainingDetail } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';

const api = useApi();

test('a training is served with its reward curve while it runs and afterwards; newest first', async () => {
  const { trainings } = api.store;
  for (const id of ['t-1', 't-2']) await trainings.create({ id, settings: { seed: 1 }, weights: Float32Array.of(1, 2) });
  for (const base of [0, 1]) await trainings.push({ training: 't-1', learner: 0, base, delta: Float32Array.of(1, 1), steps: 10 });
  await trainings.addPoint('t-1', { steps: 20, seconds: 9, version: 2, score: 2.5, cost: 1.5, late: 0.05 }, Float32Array.of(3, 4));
  await trainings.addPoint('t-1', { steps: 10, seconds: 4, version: 1, score: 3, cost: 2, late: 0.05 }, Float32Array.of(2, 3));

  const shown = TrainingDetail.parse(await api.viewer.trainings.show('t-1'));
  expect(shown).toMatchObject({ settings: { seed: 1 }, version: 2, steps: 20, best: { version: 2, score: 2.5 } });
  expect(shown.curve.map(({ steps, score }) => [steps, score])).toEqual([
    [10, 3],
    [20, 2.5],
  ]);
  expect(shown).not.toHaveProperty('outcome');
  const given = await api.viewer.trainings.parameters('t-1');
  expect(given).toMatchObject({ training: 't-1', version: 2, steps: 20, score: 2.5, settings: { seed: 1 } });
  expect(Buffer.from(given.weights, 'base64').readFloatLE(4)).toBe(4);
  expect((await api.send('GET', '/v1/trainings/t-2/parameters')).problem).toMatchObject({ code: 'TRAINING_WITHOUT_RESULT', status: 409 });
  await trainings.end('t-1', 'stopped-early');
  expect(await api.viewer.trainings.show('t-1')).toMatchObject({ outcome: 'stopped-early', endedAt: expect.any(String) });

  const { items, next } = await api.viewer.trainings.list({ limit: 1 });
  expect(items.map(({ id }) => id)).toEqual(['t-2']);
  expect((await api.viewer.trainings.list({ cursor: next! })).items.map(({ id }) => id)).toEqual(['t-1']);
  expect((await api.send('GET', '/v1/trainings/nowhere')).problem).toMatchObject({ code: 'TRAINING_UNKNOWN', status: 404 });
});
