import { beforeEach, describe, expect, test } from 'vitest';
import { useTestStore } from './testing/fixtures.js';

const context = useTestStore();
let id = '';
beforeEach(async () => {
  id = `t-${crypto.randomUUID()}`;
  await context.store.trainings.create({ id, settings: { seed: 1 }, weights: Float32Array.of(1, 2) });
});
const push = (base: number, delta: readonly number[], learner = 0) =>
  context.store.trainings.push({ training: id, learner, base, delta: Float32Array.from(delta), steps: 10 });
const damage = (version: number) =>
  context.sql.query(`update autoflow.training_parameters set weights = '\\x0000' where training = $1 and version = $2`, [id, version]);

describe('parameters that learners share', () => {
  test('are what all of them have added, a stale change counting less', async () => {
    expect(await push(0, [1, 0])).toEqual({ applied: true, version: 1, lag: 0, steps: 10 });
    for (let i = 1; i <= 8; i++) await push(i, [0, 0]);
    expect(await push(1, [2, 2])).toEqual({ applied: true, version: 10, lag: 8, steps: 100 });
    expect(await context.store.trainings.pull(id)).toEqual({ version: 10, steps: 100, weights: Float32Array.of(3, 3) });
  });

  test('lose nothing to those who push at once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, learner) => push(0, [9, 9], learner)));
    expect(answers.map((answer) => answer.applied && answer.version).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const expected = Array.from({ length: 12 }, (_, lag) => 9 / (1 + lag / 8)).reduce((sum, value) => sum + value, 1);
    expect((await context.store.trainings.pull(id)).weights[0]).toBeCloseTo(expected, 4);
  });

  test('refuse what is too stale, from nowhere, or no number', async () => {
    for (let i = 0; i < 33; i++) await push(i, [0, 0]);
    expect(await push(0, [1, 1])).toEqual({ applied: false, reason: 'stale', lag: 33 });
    expect(await push(99, [1, 1])).toMatchObject({ applied: false, reason: 'stale' });
    expect(await push(33, [Number.NaN, 1])).toMatchObject({ applied: false, reason: 'not-finite' });
    expect((await context.store.trainings.pull(id)).weights).toEqual(Float32Array.of(1, 2));
  });

  test('refuse a change of another network, longer or shorter, and stay whole', async () => {
    expect(await push(0, [1])).toEqual({ applied: false, reason: 'other-network', lag: 0 });
    expect(await push(0, [1, 1, 1])).toEqual({ applied: false, reason: 'other-network', lag: 0 });
    expect(await context.store.trainings.pull(id)).toMatchObject({ version: 0, weights: Float32Array.of(1, 2) });
  });

  test('of a damaged version are passed over, and those of an old one put back under its number too', async () => {
    await push(0, [1, 1]);
    await push(1, [1, 1]);
    await damage(2);
    expect(await context.store.trainings.pull(id)).toMatchObject({ version: 1, weights: Float32Array.of(2, 3) });
    expect(await push(1, [1, 0])).toMatchObject({ applied: true, version: 3 });
    await context.sql.query(
      `update autoflow.training_parameters p set weights = o.weights, sha256 = o.sha256 from autoflow.training_parameters o
        where p.training = $1 and p.version = 3 and o.training = $1 and o.version = 0`,
      [id],
    );
    expect((await context.store.trainings.pull(id)).version).toBe(1);
  });

  test('are forgotten when they are old, the best excepted', async () => {
    await push(0, [5, 5]);
    const { weights } = await context.store.trainings.pull(id);
    for (let i = 1; i < 70; i++) await push(i, [1, 0]);
    // It was judged for so long that it was forgotten meanwhile.
    await context.store.trainings.addPoint(id, { steps: 10, seconds: 1, version: 1, score: 2, cost: 2, late: 0 }, weights);
    for (let i = 70; i < 80; i++) await push(i, [1, 0]);
    const last = await context.store.trainings.pull(id);
    await context.store.trainings.addPoint(id, { steps: 800, seconds: 2, version: 80, score: 3, cost: 3, late: 0 }, last.weights);
    const { rows: kept } = await context.sql.query(
      'select version from autoflow.training_parameters where training = $1 order by version',
      [id],
    );
    expect(kept.slice(0, 2)).toEqual([{ version: 1 }, { version: 16 }]);
    expect(await context.store.trainings.best(id)).toMatchObject({ version: 1, score: 2, weights: Float32Array.of(6, 7) });
    expect((await context.store.trainings.curve(id)).map(({ steps, score }) => [steps, score])).toEqual([
      [10, 2],
      [800, 3],
    ]);
  });
});

test('a learner finds what it left, unless it is damaged', async () => {
  const { trainings } = context.store;
  expect(await trainings.resume(id, 0)).toBeUndefined();
  await trainings.checkpoint(id, 0, Buffer.from('first'));
  await trainings.checkpoint(id, 0, Buffer.from('second'));
  expect(await trainings.resume(id, 0)).toEqual(Buffer.from('second'));
  await context.sql.query(`update autoflow.training_learners set state = 'other' where training = $1`, [id]);
  expect(await trainings.resume(id, 0)).toBeUndefined();
});

test('a training is created once and ends once', async () => {
  const { trainings } = context.store;
  await push(0, [1, 1]);
  await trainings.create({ id, settings: { seed: 2 }, weights: Float32Array.of(7, 7) });
  expect(await trainings.get(id)).toMatchObject({ settings: { seed: 1 }, version: 1, steps: 10 });
  await trainings.end(id, 'stopped-early');
  await trainings.end(id, 'failed');
  const ended = (await trainings.get(id))!;
  expect(ended).toMatchObject({ outcome: 'stopped-early' });
  expect(ended.seconds).toBeCloseTo((ended.endedAt!.getTime() - ended.createdAt.getTime()) / 1000, 1);
  expect(await trainings.get('nowhere')).toBeUndefined();
});
