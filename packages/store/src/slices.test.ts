/** What a version that has nearly all of the traffic is compared by: a slice as large as the holdout. */
import { ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import { beforeEach, expect, test } from 'vitest';
import { armOf, BUCKETS, bucketsOf } from './arms.model.js';
import { allocation, by, envelope, specOf, topology, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
let pipeline = '';
let count = 0;
const rollouts = () => context.store.rollouts;
const arms = async () => (await context.store.arms.arms(pipeline))!;
const start = (version = 'v2', settings: Partial<RolloutSettings> = {}) =>
  rollouts().create({ id: `ro-${pipeline}`, pipeline, version, own: false, settings: { ...ROLLOUT_DEFAULTS, ...settings } }, by);
const step = (number: number) => rollouts().step(`ro-${pipeline}`, number, by);

beforeEach(async () => {
  pipeline = `p${++count}`;
  const { definitions } = context.store;
  const nodes = topology.stages.map(({ name }) => ({ id: name, name }));
  const spec = { ...specOf(pipeline), nodes } as never;
  const defined = { envelope, allocation, by };
  await definitions.registerRelease({ release: { pipeline, hash: 'r1', spec }, topology, ...defined });
  const other = { ...topology, batch: { records: 7, bytes: 1024 } };
  await definitions.registerVersion({ pipeline, hash: `${pipeline}2`, release: 'r1', topology: other, ...defined });
});

test.each([
  ['where the candidate has less than the holdout, there is no slice of its size', 40, [3_600, undefined, 4_000, undefined]],
  ['where they share everything, the slice is the candidate', 50, [0, 5_000, 5_000, true]],
])('%s', async (_, holdoutPercent, expected) => {
  await start('v2', { steps: [holdoutPercent === 40 ? 60 : 100], holdoutPercent });
  const { steps } = await step(0);
  const { candidate, control, holdout } = await arms();
  expect([candidate?.share, control?.share, holdout?.share, steps[0]?.sliced]).toEqual(expected);
});

test('promoted, it gives every key the version that it had, and keeps a slice of it beside the holdout, until that is gone', async () => {
  await start();
  for (const number of [0, 1, 2, 3]) await step(number);
  const versions = async () => {
    const now = await arms();
    return Array.from({ length: BUCKETS }, (_, bucket) => armOf(now, bucket).version);
  };
  const before = await versions();
  await rollouts().end({ id: `ro-${pipeline}`, outcome: 'promoted', by });
  expect(await versions()).toEqual(before);
  const slice = { version: 'v2', share: 500 };
  expect([(await arms()).control, bucketsOf(await arms(), 'control')]).toEqual([slice, [9_500, 9_999]]);
  const set = (version: string) => context.store.definitions.setStable({ pipeline, version, by });
  await set('v2');
  expect((await arms()).control).toEqual(slice);
  await context.store.arms.setArms({ pipeline, holdout: { version: 'v1', share: 70 }, by });
  expect((await arms()).control).toEqual({ version: 'v2', share: 70 });
  await context.store.arms.setArms({ pipeline, holdout: { version: 'v1', share: 5_001 }, by });
  expect(await arms()).not.toHaveProperty('control');
  await set('v1');
  expect(Object.keys(await arms())).not.toEqual(expect.arrayContaining(['control', 'holdout']));
});

test('while the next one is being prepared it leaves the slice beside the holdout of the version before', async () => {
  const holdout = { version: 'v2', share: 70 };
  await context.store.arms.setArms({ pipeline, holdout, by });
  await start();
  await rollouts().enter(`ro-${pipeline}`, 'warming', by);
  expect(await arms()).toMatchObject({ candidate: { version: 'v2', share: 0 }, control: { version: 'v1', share: 70 }, holdout });
});
