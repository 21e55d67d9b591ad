/** One decision of a controller after the other, on a real database; time is what the rows say. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asWritten, defaultEnvelope, type Envelope } from '@autoflow/topology';
import { pretrainedPolicy } from '@autoflow/learning';
import { fixed } from '@autoflow/optimizer';
import type { Comparison } from '@autoflow/store';
import { BY, type Platform } from '../execution/platform.js';
import { ALWAYS, inThisThread, STAGES, thread, useWorld, World } from './world.js';

let platform: Platform;
let world: World;
const stack = useWorld((begun) => ({ platform, world } = begun));

const QUIET = { batches: 20 };
const SURGE = { batches: 200 };
const audited = async () =>
  (await platform.store.access.audit({ pipeline: 'acts', action: 'allocation.set', limit: 50 })).filter(({ actor }) =>
    actor.startsWith('autoflow/'),
  );

describe('who decides', () => {
  test('nobody, unless control is set to auto: what would be set is shown, and nothing is', async () => {
    await world.control({ mode: 'shadow' });
    const { revision } = await world.allocation();
    const { decided } = await world.run(6, SURGE);
    expect(decided).toMatchObject({ mode: 'shadow', why: expect.stringContaining('set to shadow') });
    expect(decided.stages['perform']!.wanted.concurrency).toBeGreaterThan(4);
    expect((await world.allocation()).revision).toBe(revision);
  });

  test('the rule, until the agent has beaten it; each change is an audit row with what was seen', async () => {
    const before = (await audited()).length;
    const { decided } = await world.run(2, SURGE);
    expect(decided.mode).toBe('fallback');
    expect((await world.concurrency())['perform']).toBeGreaterThan(4);
    const [row] = await audited();
    expect((await audited()).length).toBeGreaterThan(before);
    expect(row).toMatchObject({ actor: 'autoflow/fallback' });
    expect(row!.reason).toMatch(/perform 4 → \d+: .*200\.0 came, 200 served/);
    const perform = { arrivals: 200, served: 200, concurrency: 4, reason: expect.stringContaining('needed') };
    expect(row!.after).toMatchObject({ stages: expect.anything(), observed: { arrived: 200, stages: { perform } } });
  });

  test('the agent, once it has beaten the rule in the twin; and the rule again when the agent has lost', async () => {
    await world.run(5, QUIET);
    await world.trust();
    await world.run(1, { batches: 90 });
    expect(await world.status()).toMatchObject({ mode: 'acting', why: 'the agent has beaten the fallback' });
    expect((await audited())[0]).toMatchObject({ actor: 'autoflow/agent', reason: expect.stringMatching(/^agent: .*came/) });
    const lost: Comparison = { at: '', intervals: 60, agent: { cost: 9, late: 0, score: 9 }, fallback: { cost: 1, late: 0, score: 1 } };
    await platform.sql.query(`update autoflow.controls set state = state || $1`, [
      JSON.stringify({ comparisons: [lost, lost], sinceComparison: 39 }),
    ]);
    await remember(45);
    await world.run(1, { batches: 90 });
    const status = await world.status();
    expect(status.comparisons).toHaveLength(3);
    expect(status.comparisons[2]!.agent.score).toBeGreaterThan(0);
    expect(status.comparisons[2]!.intervals).toBe(40);
    expect(status).toMatchObject({ agentStands: false, sinceComparison: 0 });
    expect((await world.run(1, SURGE)).decided.mode).toBe('fallback');
  });

  test('the agent, from the third comparison on in which a wasteful rule loses against it', async () => {
    const wasteful = inThisThread(pretrainedPolicy(), fixed('wasteful', STAGES.map(() => ({ concurrency: 30, memoryMb: 1024 })))); // prettier-ignore
    const next = async () => {
      await world.pass(QUIET);
      await world.step('one', wasteful);
      return world.status();
    };
    await next();
    // Of fewer intervals than a comparison is about there is none.
    await remember(30);
    await platform.sql.query(`update autoflow.controls set state = state || '{"sinceComparison":39}'`);
    expect((await next()).comparisons).toEqual([]);
    await remember(15);
    const stands: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      await platform.sql.query(`update autoflow.controls set state = state || '{"sinceComparison":39}'`);
      const { agentStands, comparisons } = await next();
      expect(comparisons[i]!.agent.score).toBeLessThan(comparisons[i]!.fallback.score);
      stands.push(agentStands);
    }
    expect(stands).toEqual([false, false, true]);
    expect(await next()).toMatchObject({ mode: 'acting', why: 'the agent has beaten the fallback' });
  });

  test('the rule, and why, where more comes than the twin can compare them on', async () => {
    await world.run(1, QUIET);
    await remember(45);
    expect((await world.run(1, QUIET)).decided.why).toContain('has not beaten');
    await platform.sql.query(`update autoflow.control_steps set tick = jsonb_set(tick, '{tick,arrived}', '30000')`);
    expect((await world.run(1, QUIET)).decided).toMatchObject({ mode: 'fallback', why: expect.stringContaining('are not compared') });
  });

  test('the rule, where what was proven is of another objective or of another policy', async () => {
    await world.run(5, QUIET);
    await world.trust();
    await world.control({ mode: 'auto', lateCost: 60 });
    expect((await world.run(1, QUIET)).decided).toMatchObject({ mode: 'fallback', why: expect.stringContaining('has not beaten') });
    await world.trust();
    expect((await world.run(1, QUIET)).decided.mode).toBe('acting');
    const policy = pretrainedPolicy();
    const other = inThisThread({ ...policy, parameters: policy.parameters.map((one) => one * 1.001) });
    await world.pass(QUIET);
    await world.step('one', other);
    expect(await world.status()).toMatchObject({ mode: 'fallback', agentStands: false });
  });

  test('not AutoFlow without its autonomy, nor in a freeze', async () => {
    await world.control({ mode: 'auto' }, 'suggest');
    expect((await world.run(2, SURGE)).decided).toMatchObject({ mode: 'shadow', why: expect.stringContaining('Autonomy is suggest') });
    await platform.store.settings.change({ pipeline: 'acts', change: { autonomy: 'auto', freezes: ALWAYS }, by: BY });
    expect((await world.run(1, SURGE)).decided).toMatchObject({ mode: 'shadow', why: expect.stringContaining('freeze') });
    await platform.store.settings.change({ pipeline: 'acts', change: { freezes: null }, by: BY });
    expect(await world.concurrency()).toMatchObject({ perform: 4 });
  });

  test('one of two controllers, and the other when the first has fallen silent', async () => {
    await world.run(1, SURGE);
    await world.pass(SURGE);
    expect(await world.step('two')).toEqual({ waitMs: 15_000 });
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(1);
    await platform.sql.query(`update autoflow.controls set held_until = now() - interval '1 second'`);
    await world.step('two');
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(2);
    expect(await world.step('one')).toEqual({ waitMs: 15_000 });
  });

  test('one of two controllers, also when the other takes over while the first decides: one change, one row', async () => {
    await world.run(1, QUIET);
    await world.pass(SURGE);
    const before = (await audited()).length;
    const slow = {
      ...world.controller,
      decide: async (...of: Parameters<typeof world.controller.decide>) => {
        await platform.sql.query(`update autoflow.controls set held_until = now() - interval '1 second'`);
        await platform.store.control.claim({ pipeline: 'acts', holder: 'two', forMs: 75_000 });
        return world.controller.decide(...of);
      },
    };
    expect(await world.step('one', slow)).toEqual({ waitMs: 15_000 });
    expect(await audited()).toHaveLength(before);
    await world.step('two');
    expect(await audited()).toHaveLength(before + 1);
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(2);
  });

  test('nobody when it is switched off: the controller ends', async () => {
    await world.run(1, QUIET);
    await world.control({ mode: 'off' });
    expect(await world.step()).toEqual({});
    expect((await world.status()).mode).toBe('off');
    expect(await platform.store.control.unattended()).not.toContain('acts');
  });
});

describe('what is decided', () => {
  test('a surge is followed up, and back down when it is over', async () => {
    await world.run(4, QUIET);
    const quiet = await world.concurrency();
    await world.run(2, SURGE);
    const surge = await world.concurrency();
    for (const stage of STAGES) expect(surge[stage]).toBeGreaterThan(3 * quiet[stage]!);
    await world.run(3, QUIET);
    expect(await world.concurrency()).toEqual(quiet);
  });

  test('a step that is repeated finds its interval decided', async () => {
    await world.run(1, SURGE);
    expect((await world.step()).waitMs).toBeGreaterThan(0);
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(1);
  });

  test('stays inside clamps and the bound of all instances', async () => {
    const { stages } = await world.allocation();
    const clamps = { perform: { concurrency: { min: 2, max: 5 } } };
    await platform.store.definitions.setAllocation({ pipeline: 'acts', version: 'v1', stages, clamps, by: BY });
    await world.control({ mode: 'auto', instances: 18 });
    await world.run(3, { batches: 900 });
    const after = await world.concurrency();
    expect(after['perform']).toBeLessThanOrEqual(5);
    const all = async () => Object.values(await world.concurrency()).reduce((a, b) => a + b, 0);
    expect(await all()).toBeLessThanOrEqual(18);
    // Lowered below what runs: at once, also where nothing new was seen; and below one per stage, which stands.
    await world.control({ mode: 'auto', instances: 12 });
    await world.pass({ batches: 0, heard: false });
    await world.step();
    expect((await world.status()).why).toContain('no function host');
    expect(await all()).toBeLessThanOrEqual(12);
    await world.acknowledge();
    await world.control({ mode: 'auto', instances: 9 });
    await world.run(1, { batches: 900 });
    expect(await all()).toBeLessThanOrEqual(9);
    await world.control({ mode: 'auto', instances: 2 });
    await world.run(1, { batches: 900 });
    expect(await world.concurrency()).toEqual({ measure: 1, 'may-pass': 1, perform: 2, weigh: 1, store: 1 });
  });

  test('nothing, in an envelope without room', async () => {
    const topology = asWritten(platform.spec);
    const envelope: Envelope = Object.fromEntries(
      Object.keys(defaultEnvelope(platform.spec, topology)).map((stage) => [stage, { memoryMb: [256], concurrency: { min: 1, max: 1 } }]),
    );
    const allocation = Object.fromEntries(STAGES.map((stage) => [stage, { memoryMb: 256, concurrency: 1 }]));
    const version = await platform.registerVersion(topology, allocation, envelope);
    await platform.store.definitions.setStable({ pipeline: 'acts', version, by: BY });
    const narrow = new World(platform, 'acts', version);
    expect((await narrow.run(3, SURGE)).decided.mode).toBe('fallback');
    expect(await narrow.allocation()).toMatchObject({ revision: 1, stages: allocation });
    await platform.store.definitions.setStable({ pipeline: 'acts', version: 'v1', by: BY });
  });

  test('a stage that never finishes gets no more than its most, and the others are not taken along', async () => {
    await world.run(2, QUIET);
    await world.run(8, { batches: 10, stuckIn: 2 });
    const { tick } = await world.last();
    expect(tick.present['perform']).toBe(80);
    const after = await world.concurrency();
    expect(after['perform']).toBeGreaterThan(1);
    expect(after['perform']).toBeLessThanOrEqual(32);
    expect(after['store']).toBe(1);
  });

  test('a stage that never finishes, with an inbox backing up, takes no other stage along', async () => {
    await world.run(2, QUIET);
    await world.run(3, { batches: 10, stuckIn: 2 });
    // As many are open as may be: what comes from now on waits.
    await world.run(4, { batches: 0, waiting: 1_000 });
    await world.run(3, { batches: 0 });
    expect((await world.last()).tick.waitingRecords).toBe(4_000);
    // Those beside each other hold the batches.
    const { perform, weigh, ...idle } = await world.concurrency();
    for (const stuck of [perform, weigh]) expect(stuck).toBeGreaterThan(1);
    for (const stuck of [perform, weigh]) expect(stuck).toBeLessThanOrEqual(32);
    expect(idle).toEqual({ measure: 1, 'may-pass': 1, store: 1 });
  });

  test('somebody who was faster is not overruled', async () => {
    await world.pass(SURGE);
    const { stages } = await world.allocation();
    const meanwhile = {
      ...world.controller,
      decide: async (...of: Parameters<typeof world.controller.decide>) => {
        await world.allocate({ ...stages, perform: { memoryMb: 512, concurrency: 3 } });
        return world.controller.decide(...of);
      },
    };
    await world.step('one', meanwhile);
    expect((await world.last()).decided.refused).toContain('revision');
    expect((await world.allocation()).stages['perform']).toEqual({ memoryMb: 512, concurrency: 3 });
  });
});

describe('where something is wrong', () => {
  test('the rule decides on what was known, and takes nothing away, while hosts are silent or measurements missing', async () => {
    await world.run(3, SURGE);
    const before = await world.concurrency();
    await world.pass({ batches: 0, heard: false });
    await world.step();
    expect(await world.status()).toMatchObject({ mode: 'fallback', why: expect.stringContaining('no function host has told') });
    await world.acknowledge();
    // One host of several, then all.
    for (const [measured, untold] of [
      [0.8, 'of 8 of the first 40'],
      [0, 'of 40 of the first 40'],
    ] as const) {
      // prettier-ignore
      await world.pass({ batches: 40, measured });
      await world.step();
      expect((await world.status()).why).toContain(untold);
    }
    for (const [stage, instances] of Object.entries(await world.concurrency())) expect(instances).toBeGreaterThanOrEqual(before[stage]!);
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(3);
  });

  test('measurements of what ended last may still be on their way, however much that is', async () => {
    await world.run(3, QUIET);
    await world.pass({ batches: 400, measured: 0.6 });
    // They ended one after the other, the measured ones first.
    await platform.sql.query(
      `with last as (select id, row_number() over (order by substr(id, 2)::int desc) as n from autoflow.batches order by n limit 400)
       update autoflow.batches b set closed_at = now() - interval '2 seconds' - last.n * interval '10 milliseconds' from last where b.id = last.id`,
    );
    expect(await world.step().then(() => world.status())).toMatchObject({ why: expect.not.stringContaining('not one invocation') });
  });

  test('a clock that stands still is told of when waiting did not help, and the agent acts no more until it goes on', async () => {
    await world.run(5, QUIET);
    await world.trust();
    await world.run(1, QUIET);
    expect((await world.status()).mode).toBe('acting');
    const before = await world.concurrency();
    for (let i = 0; i < 2; i++) expect((await world.step()).waitMs).toBeGreaterThan(0);
    expect((await world.status()).mode).toBe('acting');
    for (let i = 0; i < 2; i++) await world.step();
    expect(await world.status()).toMatchObject({ mode: 'fallback', why: expect.stringContaining('clock') });
    for (const [stage, instances] of Object.entries(await world.concurrency())) expect(instances).toBeGreaterThanOrEqual(before[stage]!);
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(6);
    expect((await world.run(1, QUIET)).decided.mode).toBe('acting');
    expect((await world.step()).waitMs).toBeGreaterThan(0);
    expect((await world.status()).mode).toBe('acting');
  });

  test('after a clock that was ahead has gone back, nothing is decided anew; from then on it begins anew', async () => {
    await world.run(3, SURGE);
    await world.shift(-3_600);
    const before = await world.allocation();
    await world.step();
    expect((await world.status()).why).toContain('clock');
    expect(await platform.store.control.latest('acts', 10)).toEqual([]);
    expect(Object.values((await world.allocation()).stages).map(({ concurrency }) => concurrency)).toEqual(
      Object.values(before.stages).map(({ concurrency }) => concurrency),
    );
    expect((await world.run(1, QUIET)).tick).toMatchObject({ anew: true, tick: { arrived: 20 } });
  });

  test.each([
    ['of minutes', 600],
    ['of more than a day', 100_000],
  ])('after a gap %s it begins anew, and does not take what it knew for what is', async (_, seconds) => {
    await world.run(5, SURGE);
    await world.trust();
    await world.shift(seconds);
    const { tick, decided } = await world.run(1, QUIET);
    expect(tick).toMatchObject({ anew: true, tick: { arrived: 20 } });
    expect(decided).toMatchObject({ mode: 'fallback', why: expect.stringContaining('only 1 interval') });
  });

  test.each([
    ['missing', undefined, /no policy/],
    ['corrupted', '{"format":"autoflow-agent","version":1', /no policy.*JSON/],
    [
      'of an older network',
      '{"format":"autoflow-agent","version":1,"network":{"observed":40,"actions":12,"parameters":9000}}',
      /of another network/,
    ],
  ])('with a policy that is %s the rule decides, and it is said', async (name, text, why) => {
    const path = join(stack.folder, `policy-${name.replaceAll(' ', '-')}.json`);
    if (text !== undefined) await writeFile(path, text);
    const controller = thread(path);
    const other = new World(platform, 'acts', 'v1', controller);
    expect((await other.run(4, SURGE)).decided).toMatchObject({ mode: 'fallback', why: expect.stringMatching(why) });
    expect((await other.concurrency())['perform']).toBeGreaterThan(4);
    await controller.close();
  });

  test('with a thread that cannot be started the rule decides here', async () => {
    const { controllerThread } = await import('@autoflow/worker');
    const controller = controllerThread({ program: join(stack.folder, 'nothing.js') });
    const other = new World(platform, 'acts', 'v1', controller);
    expect((await other.run(4, SURGE)).decided).toMatchObject({ mode: 'fallback', why: expect.stringContaining('thread') });
    await controller.close();
  });
});

/** Intervals of before, as if they had been seen. */
async function remember(intervals: number): Promise<void> {
  await platform.sql.query(
    `insert into autoflow.control_steps (pipeline, at, version, tick, decided)
     select pipeline, s.first - n * interval '15.001 seconds', version, tick || '{"anew":false}', decided
       from (select *, (select min(at) from autoflow.control_steps) as first from autoflow.control_steps order by at desc limit 1) s, generate_series(1, $1::int) n`,
    [intervals],
  );
  await platform.sql.query(`update autoflow.control_steps set tick = tick || '{"anew":false}'`);
}
