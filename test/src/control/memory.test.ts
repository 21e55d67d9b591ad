/** Memory that follows what is measured, step by step on a real database. */
import { expect, test } from 'vitest';
import { BY, type Platform } from '../execution/platform.js';
import { inThisThread, LATE_MS, STAGES, useWorld, World, type Interval } from './world.js';

let platform: Platform;
let world: World;
useWorld((begun) => ({ platform, world } = begun));

const QUIET = { batches: 20, peakMemoryMb: 60 };
const sized = (memoryMb: number) => world.allocate(Object.fromEntries(STAGES.map((stage) => [stage, { memoryMb, concurrency: 4 }])));
const memory = async (of = world, stage = 'perform') => (await of.allocation()).stages[stage]!.memoryMb;

test('goes up where instances died for want of it, one size in twenty intervals, and not back while that is remembered', async () => {
  await sized(512);
  const dying = { ...QUIET, outOfMemory: true };
  await world.run(19, dying);
  expect(await memory()).toBe(512);
  await world.run(1, dying);
  expect(await memory()).toBe(1024);
  // What was opened before has the smaller size still.
  const { tick } = await world.run(1, { ...dying, memoryMb: 512 });
  expect(tick.tick.stages[0]).toMatchObject({ memoryMb: 1024, outOfMemory: 0, outOfMemoryMb: 512 });
  await world.run(25, QUIET);
  expect(await memory()).toBe(1024);
  await platform.sql.query(
    'delete from autoflow.control_steps where at < (select at from autoflow.control_steps order by at desc offset 23 limit 1)',
  );
  await world.run(1, QUIET);
  expect(await memory()).toBe(512);
});

test('goes down where neither the working set nor the CPU that comes with it is missed', async () => {
  await world.run(20, { ...QUIET, cpuMs: 100 });
  expect(await memory()).toBe(1024);
  const { tick } = await world.last();
  expect(tick.tick.stages[0]).toMatchObject({ served: 20, serviceMs: 20 * 400, cpuMs: 20 * 100, workingSetMb: 60, outOfMemoryMb: 0 });
  await world.begin();
  await world.run(20, QUIET);
  expect(await memory()).toBe(512);
});

test('goes down by the working set alone where hosts say that CPU does not follow it', async () => {
  const incarnation = '00000000-0000-4000-8000-000000000001';
  const host = { host: 'host-1', incarnation, roles: ['functions'], version: '1', enforcement: 'soft' as const };
  for (let i = 0; i < 20; i++) {
    await platform.store.fleet.beat(host, []);
    await world.run(1, { ...QUIET, cpuMs: 400 });
  }
  await platform.store.fleet.leave(host);
  expect(await memory()).toBe(512);
});

test('goes up where service alone makes records late, and not back while that is remembered', async () => {
  await platform.store.settings.change({ pipeline: 'acts', change: { objective: { minimise: 'cost', p99Ms: LATE_MS } }, by: BY });
  await sized(256);
  const slow: Interval = { ...QUIET, serviceMs: 1_400, cpuMs: 200 };
  await world.run(20, slow);
  expect(await memory()).toBe(256);
  await world.begin();
  await sized(256);
  await world.run(20, { ...slow, late: 5 });
  expect(await memory()).toBe(512);
  const [row] = await platform.store.access.audit({ pipeline: 'acts', action: 'allocation.set', limit: 1 });
  expect(row!.reason).toContain('256 → 512 MB');
  expect(row!.reason).toContain('late without a queue, and with more CPU');
  await world.run(25, QUIET);
  expect(await memory()).toBe(512);
  await platform.store.settings.change({ pipeline: 'acts', change: { objective: null }, by: BY });
});

test('never goes down for a plain write, which is not run again, and goes up as of any stage', async () => {
  const appends = new World(platform, 'appends', 'v1', inThisThread(), ['append']);
  await appends.begin();
  await appends.run(25, QUIET);
  expect((await appends.last()).decided.mode).toBe('fallback');
  expect(await memory(appends, 'append')).toBe(1024);
  await appends.run(1, { ...QUIET, outOfMemory: true });
  expect(await memory(appends, 'append')).toBe(1769);
});
