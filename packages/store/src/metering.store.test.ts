import { beforeEach, describe, expect, test } from 'vitest';
import { invocationOf, poolUsageOf } from './testing/measurements.js';
import { registerPipeline, useTestStore } from './testing/fixtures.js';

const DAY_MS = 86_400_000;
const dayOf = (offset: number) => new Date(Date.now() + offset * DAY_MS);

describe('metering', () => {
  const context = useTestStore();
  const metering = () => context.store.metering;
  const written = () => context.store.metrics.invocations({ pipeline: 'orders', limit: 1000 });
  const partitions = async () => {
    const { rows } = await context.sql.query<{ name: string }>(
      `select relname as name from pg_class where relispartition and relkind = 'r' order by 1`,
    );
    return rows.map(({ name }) => name);
  };
  beforeEach(async () => {
    await context.sql.query('truncate autoflow.invocations, autoflow.pool_usage');
    for (const name of await partitions()) await context.sql.query(`drop table autoflow.${name}`);
  });

  test('a row comes back as it was written', async () => {
    const row = invocationOf({ error: 'InstanceDied', cold: true, coldStartMs: 200 });
    await metering().writeInvocations([row]);
    expect(await written()).toEqual([row]);
  });

  test('a row comes with what its batch says: when it was open, and whether it is a probe', async () => {
    await registerPipeline(context.store, 'orders');
    const [openedAt, closedAt] = [dayOf(-2), dayOf(-1)];
    await context.sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, admitted, state, probe, opened_at, closed_at)
       select id, 'orders', 'v1', 'r1', 'live', id, '{}', '{}', 1, 'closed', id = 'probe', $1, $2 from unnest(array['probe', 'usual']) id`,
      [openedAt, closedAt],
    );
    const rows = ['none', 'probe', 'usual'].map((batchId) => invocationOf({ runId: batchId, batchId }));
    await metering().writeInvocations(rows);
    expect(await written()).toEqual([rows[0], { ...rows[1], probe: true, openedAt, closedAt }, { ...rows[2], openedAt, closedAt }]);
  });

  test('a row that is written again is not there twice; another attempt is another row', async () => {
    await metering().writeInvocations([invocationOf(), invocationOf()]);
    await Promise.all([
      metering().writeInvocations([invocationOf({ durationMs: 7 })]),
      metering().writeInvocations([invocationOf({ attempt: 2 })]),
    ]);
    expect((await written()).map(({ attempt, durationMs }) => [attempt, durationMs])).toEqual([
      [1, 100],
      [2, 100],
    ]);
    await metering().writePoolUsage([poolUsageOf(), poolUsageOf()]);
    await metering().writePoolUsage([poolUsageOf()]);
    expect((await context.sql.query('select from autoflow.pool_usage')).rowCount).toBe(1);
  });

  test('days are made on demand, by many writers at once', async () => {
    const startedAt = [0, 1, 2, 3].map((hour) => new Date(`2026-03-04T2${hour}:59:59.999Z`)).concat(new Date('2026-03-05T00:00:00Z'));
    await Promise.all(startedAt.map((time, i) => metering().writeInvocations([invocationOf({ runId: `r${i}`, startedAt: time })])));
    expect(await written()).toHaveLength(5);
    expect(await partitions()).toEqual(['invocations_20260304', 'invocations_20260305']);
  });

  test('maintain makes the coming days and drops those beyond the retention, from many hosts at once', async () => {
    await metering().writeInvocations([-10, -8, -6, 0].map((day) => invocationOf({ runId: `r${day}`, startedAt: dayOf(day) })));
    await metering().writePoolUsage([poolUsageOf({ from: dayOf(-10) })]);
    await Promise.all([metering().maintain(7), metering().maintain(7), metering().maintain(7)]);
    expect((await written()).map(({ runId }) => runId)).toEqual(['r0', 'r-6']);
    const names = await partitions();
    expect(names.filter((name) => name.startsWith('invocations'))).toHaveLength(5);
    expect(names.filter((name) => name.startsWith('pool_usage'))).toHaveLength(4);
    await metering().maintain(7);
    expect(await partitions()).toEqual(names);
  });

  test('a day that somebody is reading is dropped the next time', async () => {
    await metering().writeInvocations([invocationOf({ startedAt: dayOf(-10) })]);
    await context.sql.query('begin');
    await context.sql.query('select from autoflow.invocations');
    await metering().maintain(7);
    await context.sql.query('commit');
    expect(await written()).toHaveLength(1);
    await metering().maintain(7);
    expect(await written()).toHaveLength(0);
  });

  test('hosts that have been silent for a day are forgotten', async () => {
    const pool = { pipeline: 'orders', version: 'v1', stage: 'parse', memoryMb: 128, concurrency: 2, instances: 1 };
    await context.store.hosts.acknowledge('gone', [pool]);
    await context.store.hosts.acknowledge('here', [pool]);
    await context.sql.query(`update autoflow.acknowledgements set at = now() - interval '25 hours' where host = 'gone'`);
    await metering().maintain(7);
    expect((await context.store.hosts.acknowledged('orders')).map(({ host }) => host)).toEqual(['here']);
  });

  test('nothing is nothing; rubbish in an error message is stored', async () => {
    await metering().writeInvocations([]);
    await metering().writePoolUsage([]);
    await metering().writeInvocations([invocationOf({ error: 'nul \0 and half \ud800' })]);
    expect((await written())[0]?.error).toBe('nul \u{fffd} and half \u{fffd}');
  });
});
