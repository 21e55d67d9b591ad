import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Enforcement } from './metering.model.js';
import { registerPipeline, useTestStore } from './testing/fixtures.js';

describe('what is known of memory', () => {
  const context = useTestStore();
  beforeAll(() => registerPipeline(context.store, 'orders'));
  beforeEach(async () => void (await context.sql.query('truncate autoflow.control_steps')));
  const known = (version = 'v1') => context.store.control.memory('orders', version);

  /** A step of two stages with so much memory; what else was seen of them, and what was wanted. */
  async function step(seen: readonly object[], wanted: readonly number[] = [512, 512]): Promise<void> {
    const names = ['parse', 'store'];
    const tick = { stages: names, tick: { stages: names.map((_, s) => ({ memoryMb: 512, ...seen[s] })) } };
    const stages = names.map((name, s) => [name, { now: { memoryMb: 512 }, wanted: { memoryMb: wanted[s] } }] as const);
    await context.sql.query(
      `insert into autoflow.control_steps (pipeline, at, version, tick, decided) values ('orders', clock_timestamp(), 'v1', $1, $2)`,
      [JSON.stringify(tick), JSON.stringify({ stages: Object.fromEntries(stages) })],
    );
  }
  const said = async (host: string, enforcement?: Enforcement) => {
    const incarnation = '00000000-0000-4000-8000-000000000001';
    await context.store.fleet.beat({ host, incarnation, roles: [], version: '1', ...(enforcement && { enforcement }) }, []);
  };

  test('is the largest size that instances ran out of, by stage and version, also where no more than its number was kept', async () => {
    expect((await known()).tooSmallMb).toEqual({});
    await step([{ outOfMemory: 1, outOfMemoryMb: 1024 }, { outOfMemoryMb: 0 }]);
    await step([{ outOfMemoryMb: 256 }, { outOfMemory: 0 }]);
    expect((await known()).tooSmallMb).toEqual({ parse: 1024 });
    await step([{}, { outOfMemory: 2 }]);
    expect((await known()).tooSmallMb).toEqual({ parse: 1024, store: 512 });
    expect((await known('v2')).tooSmallMb).toEqual({});
  });

  test('is a size that a larger one was wanted instead of', async () => {
    await step([{}, {}], [256, 1024]);
    expect((await known()).tooSmallMb).toEqual({ store: 512 });
  });

  test('is that CPU follows it, unless all live hosts that say how they limit say otherwise', async () => {
    const follows = async () => (await known()).cpuFollows;
    expect(await follows()).toBe(true);
    await said('ingest');
    expect(await follows()).toBe(true);
    await said('one', 'soft');
    expect(await follows()).toBe(false);
    await said('two', 'cgroup-v2');
    expect(await follows()).toBe(true);
    await context.sql.query(`update autoflow.hosts set seen_at = now() - interval '1 minute' where host = 'two'`);
    expect(await follows()).toBe(false);
    await context.sql.query(`update autoflow.hosts set seen_at = now() - interval '1 minute' where host = 'one'`);
    expect(await follows()).toBe(true);
  });
});
