import { ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RolloutOutcome } from '@autoflow/topology';
import { allocation, by, envelope, registerPipeline, specOf, topology, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
let pipeline = '';
let count = 0;
const DAY_MS = 86_400_000;
const rollouts = () => context.store.rollouts;
const arms = async () => (await context.store.arms.arms(pipeline))!;
const start = (version = 'v2', settings: Partial<RolloutSettings> = {}, id = `ro-${pipeline}`) =>
  rollouts().create({ id, pipeline, version, own: false, settings: { ...ROLLOUT_DEFAULTS, ...settings } }, by);
const end = (outcome: RolloutOutcome, id = `ro-${pipeline}`) => rollouts().end({ id, outcome, by: { ...by, reason: `so ${outcome}` } });
const step = (number: number) => rollouts().step(`ro-${pipeline}`, number, by);
const statuses = async (version: string) => (await context.store.definitions.statuses(pipeline, version)).map(({ status }) => status);

beforeEach(async () => {
  pipeline = `p${++count}`;
  const { definitions } = context.store;
  const nodes = ['parse', 'store'].map((id) => ({ id, name: id }));
  const spec = { ...specOf(pipeline), nodes } as never;
  await definitions.registerRelease({ release: { pipeline, hash: 'r1', spec }, topology, envelope, allocation, by });
  const batch = { records: 7, bytes: 1024 };
  await definitions.registerVersion({
    pipeline,
    hash: `${pipeline}2`,
    release: 'r1',
    topology: { ...topology, batch },
    envelope,
    allocation,
    by,
  });
});

describe('a rollout', () => {
  test('is one at a time, of a version that is not stable yet; asked for again with its id, it is the same', async () => {
    const [one, other] = await Promise.allSettled([start(), start('v2', {}, `other-${pipeline}`)]);
    expect([one.status, other.status].sort()).toEqual(['fulfilled', 'rejected']);
    const [active] = (await rollouts().active()).filter((row) => row.pipeline === pipeline);
    expect(active).toMatchObject({ state: 'starting', baseline: 'v1', version: 'v2', steps: [], paused: false });
    expect(await start('v2', {}, active!.id)).toEqual(active);
    await expect(start('v2', {}, 'third')).rejects.toMatchObject({ code: 'ROLLOUT_ACTIVE', details: { rollout: active!.id } });
    await expect(start('v1', {}, 'stable')).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
    await expect(start('v9', {}, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  const deploy = (hash: string, stages = topology.stages) => {
    const nodes = stages.map(({ name }) => ({ id: name, name }));
    const release = { pipeline, hash, spec: { ...specOf(pipeline), nodes } as never };
    return context.store.definitions.registerRelease({ release, topology: { ...topology, stages }, envelope, allocation, by });
  };

  test('of a version whose function the newest release has no more is refused', async () => {
    expect(await rollouts().outdated(pipeline, 'v2')).toBeUndefined();
    await deploy('r2', topology.stages.slice(0, 1));
    await expect(start()).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED', message: expect.stringContaining('has no store any more') });
    expect(await rollouts().outdated(pipeline, 'v2')).toContain('has no store any more');
  });

  test('of a version whose function a later release lacked that was gone back from is begun; and so is one of that release', async () => {
    const { setStable } = context.store.definitions;
    const { version: less } = await deploy('r2', topology.stages.slice(0, 1));
    await setStable({ pipeline, version: less.name, by });
    await expect(start()).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
    await setStable({ pipeline, version: 'v1', by });
    expect(await rollouts().outdated(pipeline, 'v2')).toBeUndefined();
    const { version: more } = await deploy('r3', [
      ...topology.stages,
      { name: 'notify', nodes: ['notify'], after: ['store'], partitions: 1 },
    ]);
    await setStable({ pipeline, version: more.name, by });
    await setStable({ pipeline, version: 'v1', by });
    expect(await rollouts().outdated(pipeline, more.name)).toBeUndefined();
    expect((await start()).state).toBe('starting');
  });

  test('of another release than the one in force is not begun by AutoFlow itself; people may', async () => {
    const own = () => rollouts().create({ id: `own-${pipeline}`, pipeline, version: 'v2', own: true, settings: ROLLOUT_DEFAULTS }, by);
    const { version } = await deploy('r2');
    await context.store.definitions.setStable({ pipeline, version: version.name, by });
    await expect(own()).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED', message: expect.stringContaining('r1, and r2 is in force') });
    expect((await start()).baseline).toBe(version.name);
  });

  test('goes through its steps with a control group of the same size, then with a slice of its own as large as the holdout', async () => {
    await start();
    const shares = [];
    for (const number of [0, 1, 2, 3]) {
      await step(number);
      const { candidate, control, holdout } = await arms();
      shares.push([candidate?.share, control?.version, control?.share, holdout?.share]);
    }
    expect(shares).toEqual([
      [475, 'v1', 475, 500],
      [2_375, 'v1', 2_375, 500],
      [4_750, 'v1', 4_750, 500],
      [9_000, 'v2', 500, 500],
    ]);
    const { revision } = await arms();
    const again = await step(3);
    expect((await arms()).revision).toBe(revision);
    expect(again.steps.map(({ percent, to, sliced }) => [percent, to !== undefined, sliced])).toEqual([
      [5, true, undefined],
      [25, true, undefined],
      [50, true, undefined],
      [100, false, true],
    ]);
    await expect(step(5)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  test('promoted, makes the candidate stable and keeps the version before as the holdout', async () => {
    await start();
    await step(0);
    const ended = await end('promoted');
    expect(ended).toMatchObject({ state: 'promoted', outcome: 'so promoted', endedAt: expect.any(Date) });
    expect(await arms()).toMatchObject({ stable: { version: 'v2' }, holdout: { version: 'v1', share: 500 } });
    expect(Object.keys(await arms())).not.toContain('candidate');
    expect([await statuses('v1'), await statuses('v2')]).toEqual([
      ['registered', 'stable', 'retired'],
      ['registered', 'canary', 'stable'],
    ]);
    expect(await end('rolled-back')).toEqual(ended);
    expect((await arms()).stable.version).toBe('v2');
  });

  test('rolled back, leaves the arms as they were before it', async () => {
    await context.store.arms.setArms({ pipeline, holdout: { version: 'v2', share: 70 }, by });
    await start();
    await step(0);
    await step(1);
    await end('rolled-back');
    const { stable, candidate, control, holdout } = await arms();
    expect([stable.version, candidate, control, holdout]).toEqual([
      'v1',
      undefined,
      { version: 'v1', share: 70 },
      { version: 'v2', share: 70 },
    ]);
    expect(await statuses('v2')).toEqual(['registered', 'canary', 'rolled-back']);
  });

  test('that ends because the stable version is set to what it is leaves the holdout as it was before it', async () => {
    await context.store.arms.setArms({ pipeline, holdout: { version: 'v2', share: 70 }, by });
    await start();
    await step(0);
    expect((await arms()).holdout).toEqual({ version: 'v1', share: 500 });
    await context.store.definitions.setStable({ pipeline, version: 'v1', by });
    const { candidate, control, holdout } = await arms();
    expect([candidate, control, holdout]).toEqual([undefined, { version: 'v1', share: 70 }, { version: 'v2', share: 70 }]);
    await start('v2', {}, `next-${pipeline}`);
    await rollouts().step(`next-${pipeline}`, 0, by);
    await context.store.definitions.setStable({ pipeline, version: 'v2', by });
    expect((await arms()).holdout).toEqual({ version: 'v1', share: 500 });
  });

  test.each(['a rollback', 'other arms'])('ends when somebody moves the traffic by %s, and then moves nothing any more', async (how) => {
    await start();
    await step(0);
    if (how === 'a rollback') await context.store.definitions.setStable({ pipeline, version: 'v1', by: { ...by, reason: 'month end' } });
    else await context.store.arms.setArms({ pipeline, by: { ...by, reason: 'month end' } });
    const { candidate, control, revision } = await arms();
    expect([candidate, control]).toEqual([undefined, undefined]);
    const row = await rollouts().get(`ro-${pipeline}`);
    expect(row).toMatchObject({ state: 'superseded', outcome: 'tester has moved the traffic: month end' });
    const [taken] = row!.steps;
    expect(taken!.to).toBeGreaterThanOrEqual(taken!.from);
    expect(taken!.to).toBeLessThanOrEqual(row!.endedAt!.getTime() + 1);
    expect((await step(1)).state).toBe('superseded');
    expect((await end('promoted')).state).toBe('superseded');
    expect((await arms()).revision).toBe(revision);
    const actions = (await context.store.access.audit({ pipeline, limit: 9 })).map(({ action }) => action);
    expect(actions.slice(0, 4)).toEqual([
      'rollout.superseded',
      how === 'a rollback' ? 'stable.set' : 'arms.set',
      'rollout.step',
      'arms.set',
    ]);
    await start('v2', {}, `next-${pipeline}`);
  });

  test('paused, takes no step and is not promoted by itself; somebody may promote it', async () => {
    await start();
    await step(0);
    await rollouts().pause(`ro-${pipeline}`, true, by);
    const { revision } = await arms();
    expect((await step(1)).steps).toHaveLength(1);
    const promote = (unlessPaused: boolean) => rollouts().end({ id: `ro-${pipeline}`, outcome: 'promoted', unlessPaused, by });
    expect(await promote(true)).toMatchObject({ state: 'canary', paused: true });
    expect(await arms()).toMatchObject({ revision, stable: { version: 'v1' } });
    expect((await promote(false)).state).toBe('promoted');
  });

  test.each(['what was measured', 'hand'])('rolled back by %s, is not begun again by AutoFlow itself; people may', async (how) => {
    const own = (id: string) => rollouts().create({ id, pipeline, version: 'v2', own: true, settings: ROLLOUT_DEFAULTS }, by);
    await own(`ro-${pipeline}`);
    await end('aborted');
    await own(`a-${pipeline}`);
    if (how === 'hand') await context.store.definitions.setStable({ pipeline, version: 'v1', by });
    else await end('rolled-back', `a-${pipeline}`);
    await expect(own(`b-${pipeline}`)).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED', message: expect.stringContaining('took it back') });
    expect((await start('v2', {}, `c-${pipeline}`)).state).toBe('starting');
  });

  test('that ended long ago keeps no evaluations', async () => {
    const id = `ro-${pipeline}`;
    await start();
    await rollouts().evaluated(id, { percent: 5, decision: 'continue', reason: 'early', judgement: {}, held: false });
    await rollouts().removeEvaluations(new Date(Date.now() + 60_000));
    expect(await rollouts().evaluations(id, 9)).toHaveLength(1);
    await end('aborted');
    await rollouts().removeEvaluations(new Date(Date.now() + 60_000));
    expect(await rollouts().evaluations(id, 9)).toEqual([]);
  });

  test('is charged when it has ended, however it did, and once', async () => {
    const id = `ro-${pipeline}`;
    const harm = { records: 9, share: 0.05, dead: 1, costUsd: 0.2, extraUsd: 0.1 };
    const uncharged = async () => (await rollouts().uncharged()).filter((row) => row.pipeline === pipeline).map((row) => row.id);
    await start();
    await step(0);
    await rollouts().charge(id, harm);
    expect([(await rollouts().get(id))!.harm, await uncharged()]).toEqual([undefined, []]);
    await context.store.definitions.setStable({ pipeline, version: 'v1', by });
    expect(await uncharged()).toEqual([id]);
    await rollouts().charge(id, harm);
    await rollouts().charge(id, { ...harm, records: 10 });
    expect([(await rollouts().get(id))!.harm, await uncharged()]).toEqual([harm, []]);
  });

  test('that ended before its canary has nothing to be charged, and says that it has ended', async () => {
    await start();
    await context.store.definitions.setStable({ pipeline, version: 'v1', by });
    expect((await rollouts().uncharged()).filter((row) => row.pipeline === pipeline)).toEqual([]);
    expect((await rollouts().enter(`ro-${pipeline}`, 'warming', by)).endedAt).toBeInstanceOf(Date);
  });

  test('that goes back from its warm pools to its shadow, as after a restart, leaves no candidate when it ends', async () => {
    await start();
    for (const phase of ['shadow', 'warming', 'shadow'] as const) await rollouts().enter(`ro-${pipeline}`, phase, by);
    expect((await arms()).candidate).toMatchObject({ version: 'v2', share: 0 });
    await end('aborted');
    expect((await arms()).candidate).toBeUndefined();
    // Nothing was found against it.
    expect(await statuses('v2')).toEqual(['registered', 'shadow', 'shadow', 'registered']);
  });

  test.each<[RolloutOutcome, string[]]>([
    ['aborted', ['registered']],
    ['failed', ['registered']],
    ['rolled-back', ['registered', 'rolled-back']],
  ])('%s before its shadow says of its version what is so', async (outcome, expected) => {
    await start();
    await end(outcome);
    expect(await statuses('v2')).toEqual(expected);
  });

  test('was held between evaluations that both found it so: a pause just before one is no period', async () => {
    const id = `ro-${pipeline}`;
    await start();
    const found: boolean[] = [];
    for (const held of [true, false, true, true, false]) {
      const before = (await rollouts().get(id))!.heldMs;
      await rollouts().evaluated(id, { percent: 5, decision: 'continue', reason: 'early', judgement: {}, held });
      found.push((await rollouts().get(id))!.heldMs > before);
    }
    expect(found).toEqual([false, false, false, true, false]);
  });

  describe('is proved', () => {
    const look = async (decision: string, held = false) => {
      await rollouts().evaluated(`ro-${pipeline}`, { percent: 5, decision, reason: '', judgement: {}, held });
      return (await rollouts().get(`ro-${pipeline}`))!.provedAt;
    };
    const agoMs = (provedAt: Date | undefined) => Date.now() - provedAt!.getTime();
    const daysPass = (days: number) =>
      context.sql.query(
        `update autoflow.rollouts set proved_at = proved_at - make_interval(days => $2), evaluated_at = evaluated_at - make_interval(days => $2)
          where id = $1`,
        [`ro-${pipeline}`, days],
      );
    beforeEach(() => start());

    test('once, however often it is looked at while it stays so, and when it is to be aborted for it', async () => {
      expect(await look('continue')).toBeUndefined();
      const first = await look('await-approval');
      expect(first).toBeInstanceOf(Date);
      expect([await look('await-approval'), await look('await-approval'), await look('abort')]).toEqual([first, first, first]);
    });

    test('anew, when it was not for a while', async () => {
      await look('await-approval');
      await daysPass(7);
      expect(await look('continue')).toBeUndefined();
      expect(agoMs(await look('await-approval'))).toBeLessThan(DAY_MS);
    });

    test('for no longer by the time in which it is held', async () => {
      await look('await-approval');
      await daysPass(1);
      // What is only part of a period is not counted.
      expect(agoMs(await look('continue', true))).toBeGreaterThanOrEqual(DAY_MS);
      await daysPass(7);
      const held = await look('continue', true);
      expect(Math.floor(agoMs(held) / DAY_MS)).toBe(1);
      expect(Math.floor((await rollouts().get(`ro-${pipeline}`))!.heldMs / DAY_MS)).toBe(7);
      expect(await look('await-approval')).toEqual(held);
    });
  });

  test('adds up with others what they cost beyond the usual: those of AutoFlow that ended since, and nothing for one that cost less', async () => {
    const charged = [
      { id: 'a', own: true, extraUsd: 0.2 },
      { id: 'b', own: true, extraUsd: -5 },
      { id: 'c', own: false, extraUsd: 40 },
      { id: 'd', own: true, extraUsd: 0.3 },
    ];
    for (const { id, own, extraUsd } of charged) {
      const rollout = `ro-${pipeline}-${id}`;
      await rollouts().create({ id: rollout, pipeline, version: 'v2', own, settings: ROLLOUT_DEFAULTS }, by);
      await end('aborted', rollout);
      await rollouts().charge(rollout, { records: 1, share: 0.1, dead: 0, costUsd: 9, extraUsd });
    }
    expect(await rollouts().explored(pipeline, new Date(Date.now() - 60_000))).toBeCloseTo(0.5, 9);
    expect(await rollouts().explored(pipeline, new Date(Date.now() + 60_000))).toBe(0);
  });

  test('keeps its evaluations in order, and the last judgement', async () => {
    await start();
    for (const reason of ['early', 'late'])
      await rollouts().evaluated(`ro-${pipeline}`, {
        percent: 5,
        decision: 'continue',
        reason,
        judgement: { reason },
        held: false,
      });
    expect((await rollouts().evaluations(`ro-${pipeline}`, 9)).map(({ number, reason }) => [number, reason])).toEqual([
      [2, 'late'],
      [1, 'early'],
    ]);
    expect(await rollouts().get(`ro-${pipeline}`)).toMatchObject({ judgement: { reason: 'late' }, heldMs: 0 });
    expect((await rollouts().pause(`ro-${pipeline}`, true, by)).paused).toBe(true);
    await end('aborted');
    expect((await rollouts().list(pipeline, { limit: 1 })).map(({ state, paused }) => [state, paused])).toEqual([['aborted', false]]);
    await expect(rollouts().pause(`ro-${pipeline}`, true, by)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });
});

test('a decision outlives releases that keep its topology; it expires once, and another one is made by another topology or by keeping this one', async () => {
  const { definitions, decisions } = context.store;
  const pipeline = 'decided';
  await registerPipeline(context.store, pipeline);
  const current = async () => (await decisions.current(pipeline))!;
  const stable = (version: string) => definitions.setStable({ pipeline, version, by });
  const expire = async () => decisions.expire(pipeline, (await definitions.pipeline(pipeline))!.stable.version, by);
  const written = await current();
  expect(written).toMatchObject({ pipeline, at: expect.any(Date) });

  const release = { release: { pipeline, hash: 'r2', spec: specOf(pipeline) }, topology, envelope, allocation, by };
  await definitions.registerRelease(release);
  await stable('v2');
  expect(await current()).toEqual(written);
  expect([await expire(), await expire()]).toEqual([true, false]);
  const expired = await current();
  expect(expired).toEqual({ ...written, expiredAt: expect.any(Date) });
  await definitions.registerRelease({ ...release, release: { ...release.release, hash: 'r3' } });
  await stable('v3');
  expect(await current()).toEqual(expired);

  expect(await decisions.keep(expired, by)).toBe(true);
  const kept = await current();
  expect(kept).not.toHaveProperty('expiredAt');
  expect(kept.id).not.toBe(expired.id);
  expect([await decisions.keep(expired, by), await decisions.keep(kept, by)]).toEqual([false, false]);
  expect((await definitions.statuses(pipeline, 'v3')).map(({ status }) => status)).toEqual(['registered', 'stable', 'stable']);

  // By hand, as people do it.
  const other = { ...topology, batch: { records: 7, bytes: 1024 } };
  await definitions.registerVersion({ pipeline, hash: 'other', release: 'r3', topology: other, envelope, allocation, by });
  await stable('v4');
  const moved = await current();
  await stable('v3');
  expect(new Set([kept.id, moved.id, (await current()).id]).size).toBe(3);
  expect(await decisions.current('nobody')).toBeUndefined();
});
