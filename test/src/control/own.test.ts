/** What a controller counts as its own, and what it may do with it: on a real database; time is what the rows say. */
import { describe, expect, test } from 'vitest';
import { asWritten, defaultEnvelope } from '@autoflow/topology';
import { BY, type Platform } from '../execution/platform.js';
import { ALWAYS, STAGES, useWorld, World } from './world.js';

let platform: Platform;
let world: World;
useWorld((begun) => ({ platform, world } = begun));

const QUIET = { batches: 20 };
const SURGE = { batches: 200 };
type OperationChange = Parameters<Platform['store']['settings']['change']>[0]['change'];

describe('it is decided', () => {
  test("by what is the version's own: neither by what waits for a candidate, nor by how that drains", async () => {
    const topology = asWritten(platform.spec);
    const candidate = await platform.registerVersion({ ...topology, batch: { ...topology.batch, records: 7 } });
    await world.run(4, QUIET);
    const quiet = await world.concurrency();
    // What comes to wait is in the bucket 5,000.
    await platform.store.arms.setArms({ pipeline: 'acts', candidate: { version: candidate, share: 5_000 }, by: BY });
    for (const waiting of [4_000, 4_000, 0]) {
      if (waiting === 0) await platform.sql.query('truncate autoflow.inbox');
      const { tick } = await world.run(1, { ...QUIET, waiting });
      expect(tick.waitingRecords).toBe(0);
      expect(tick.tick.arrived).toBeGreaterThan(0);
      expect(tick.tick.arrived).toBeLessThanOrEqual(20);
      expect(await world.concurrency()).toEqual(quiet);
    }
    // Taken back, it is this version's.
    await world.pass({ ...QUIET, waiting: 4_000 });
    await platform.store.arms.setArms({ pipeline: 'acts', by: BY });
    await world.step();
    const { tick } = await world.last();
    expect(tick.waitingRecords).toBe(4_000);
    expect(tick.tick.arrived).toBeGreaterThan(1_000);
    expect((await world.concurrency())['perform']).toBeGreaterThan(quiet['perform']!);
  });

  test('anew, where intervals are of another length than those that are known', async () => {
    await world.run(5, SURGE);
    await world.trust();
    expect((await world.run(1, SURGE)).decided.mode).toBe('acting');
    await world.control({ mode: 'auto', intervalMs: 7_500 });
    const { tick, decided } = await world.run(1, SURGE);
    expect(tick).toMatchObject({ anew: true, intervalMs: 7_500 });
    expect(decided).toMatchObject({ mode: 'fallback', why: expect.stringContaining('only 1 interval') });
    expect((await world.run(1, SURGE)).decided.why).toContain('only 2 intervals');
  });

  test('within what a resource leaves; on what is stale a raise that it has no room for takes nothing away', async () => {
    const spec = {
      ...platform.spec,
      name: 'limited',
      resources: platform.spec.resources.map((one) => ({ ...one, limit: { concurrency: 8 } })),
    };
    const topology = asWritten(spec);
    // Of before the limit.
    const envelope = defaultEnvelope(platform.spec, topology);
    const allocation = Object.fromEntries(STAGES.map((stage) => [stage, { memoryMb: 1024, concurrency: 4 }]));
    const release = { pipeline: spec.name, hash: 'limited', spec };
    await platform.store.definitions.registerRelease({ release, topology, envelope, allocation, by: BY });
    const limited = new World(platform, spec.name);
    await limited.begin();
    // Seven may be of one, at 400 ms each: what waits cannot come to a stage sooner.
    const { tick } = await limited.run(1, { ...QUIET, waiting: 10_000 });
    expect(tick.tick.stages[0]!.queued).toBeCloseTo((7 * 15_000) / 400, 6);
    await limited.run(3, SURGE);
    const { perform, store } = await limited.concurrency();
    expect(perform! + store!).toBe(8);
    await limited.allocate({ ...allocation, perform: { memoryMb: 1024, concurrency: 5 }, store: { memoryMb: 1024, concurrency: 3 } });
    await limited.pass({ batches: 0, heard: false });
    await limited.step();
    expect((await limited.status()).why).toContain('no function host');
    const after = await limited.concurrency();
    expect(after).toMatchObject({ perform: 5, store: 3 });
    expect(after['measure']).toBeGreaterThan(4);
  });

  test('for nothing, where it was frozen or switched off while it was decided', async () => {
    await world.run(1, QUIET);
    const { revision } = await world.allocation();
    const meanwhile = (change: OperationChange) => ({
      ...world.controller,
      decide: async (...of: Parameters<typeof world.controller.decide>) => {
        const answer = await world.controller.decide(...of);
        await platform.store.settings.change({ pipeline: 'acts', change, by: BY });
        return answer;
      },
    });
    await world.pass(SURGE);
    await world.step('one', meanwhile({ freezes: ALWAYS }));
    const { decided } = await world.last();
    expect(decided).toMatchObject({ mode: 'shadow', why: expect.stringContaining('freeze') });
    expect(decided.stages['perform']!.wanted.concurrency).toBeGreaterThan(4);
    await platform.store.settings.change({ pipeline: 'acts', change: { freezes: null }, by: BY });
    await world.pass(SURGE);
    expect(await world.step('one', meanwhile({ control: { mode: 'off' } }))).toEqual({});
    expect((await world.status()).mode).toBe('off');
    expect(await platform.store.control.latest('acts', 10)).toHaveLength(2);
    expect((await world.allocation()).revision).toBe(revision);
  });
});
