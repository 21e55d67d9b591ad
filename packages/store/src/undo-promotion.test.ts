import { ROLLOUT_DEFAULTS, type RolloutOutcome } from '@autoflow/topology';
import { beforeEach, describe, expect, test } from 'vitest';
import { allocation, by, envelope, specOf, topology, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
const HOLDOUT = { version: 'v3', share: 70 };
let pipeline = '';
let count = 0;
const rollouts = () => context.store.rollouts;
const arms = async () => (await context.store.arms.arms(pipeline))!;
const statuses = async (version: string) => (await context.store.definitions.statuses(pipeline, version)).map(({ status }) => status);
const create = (id: string, own = false, version = 'v2') =>
  rollouts().create({ id, pipeline, version, own, settings: ROLLOUT_DEFAULTS }, by);
const undo = (outcome: 'rolled-back' | 'aborted' = 'rolled-back') =>
  rollouts().undoPromotion({ id: pipeline, outcome, by: { ...by, reason: 'month end' } });
const canary = async (ended: RolloutOutcome) => {
  await create(pipeline);
  await rollouts().step(pipeline, 0, by);
  return rollouts().end({ id: pipeline, outcome: ended, by });
};

beforeEach(async () => {
  pipeline = `p${++count}`;
  const spec = { ...specOf(pipeline), nodes: ['parse', 'store'].map((id) => ({ id, name: id })) } as never;
  await context.store.definitions.registerRelease({ release: { pipeline, hash: 'r1', spec }, topology, envelope, allocation, by });
  for (const records of [7, 8]) {
    const batch = { records, bytes: 1024 };
    const version = { pipeline, hash: `${pipeline}-${records}`, release: 'r1', topology: { ...topology, batch } };
    await context.store.definitions.registerVersion({ ...version, envelope, allocation, by });
  }
  await context.store.arms.setArms({ pipeline, holdout: HOLDOUT, by });
});

describe('a promotion that is undone', () => {
  test.each(['rolled-back', 'aborted'] as const)('leaves everything as a canary does that was %s', async (outcome) => {
    const { endedAt } = await canary('promoted');
    expect(await undo(outcome)).toMatchObject({ state: outcome, outcome: 'month end', endedAt });
    const { stable, candidate, holdout } = await arms();
    expect([stable.version, candidate, holdout]).toEqual(['v1', undefined, HOLDOUT]);
    expect([(await statuses('v1')).at(-1), (await statuses('v2')).at(-1)]).toEqual(['stable', 'rolled-back']);
    const [last] = await context.store.access.audit({ pipeline, limit: 1 });
    expect(last).toMatchObject({ action: `rollout.${outcome}`, after: { rollout: pipeline, version: 'v2', was: 'promoted' } });
    if (outcome === 'rolled-back') await expect(create('again', true)).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
  });

  test('ends the rollout that has begun behind it', async () => {
    await canary('promoted');
    await create(`next-${pipeline}`, false, 'v3');
    await rollouts().step(`next-${pipeline}`, 0, by);
    await undo();
    const { stable, candidate, holdout } = await arms();
    expect([stable.version, candidate, holdout]).toEqual(['v1', undefined, HOLDOUT]);
    expect(await rollouts().get(`next-${pipeline}`)).toMatchObject({ state: 'superseded' });
  });

  test('is none where somebody has moved the traffic since: nothing changes', async () => {
    await canary('promoted');
    await context.store.definitions.setStable({ pipeline, version: 'v3', by });
    const { revision } = await arms();
    expect((await undo()).state).toBe('promoted');
    expect(await arms()).toMatchObject({ revision, stable: { version: 'v3' } });
  });

  test('is none where it was not promoted, though its version is stable: by hand it is', async () => {
    const ended = await canary('aborted');
    await context.store.definitions.setStable({ pipeline, version: 'v2', by });
    expect(await undo()).toEqual(ended);
    expect((await arms()).stable.version).toBe('v2');
  });
});
