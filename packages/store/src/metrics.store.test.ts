import type { Outcome, RecordState } from '@autoflow/pipeline';
import { PUBLISHED_PRICES, type LoadShape } from '@autoflow/twin';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MetricsQuery, MetricsRow } from './metrics.model.js';
import { recordDigest } from './record-digest.js';
import { allocation, batchOf, by, envelope, inputsOf, registerPipeline, topology, useTestStore } from './testing/fixtures.js';
import { invocationOf, poolUsageOf, spanOf } from './testing/measurements.js';

const ACTION = PUBLISHED_PRICES.temporalAction.usd;
const at = (seconds: number) => new Date(Date.UTC(2026, 2, 4, 10, 0, seconds));

describe('metrics', () => {
  const context = useTestStore();
  const query = (by: MetricsQuery['by'], more: Partial<MetricsQuery> = {}): Promise<MetricsRow[]> =>
    context.store.metrics.metrics({ pipeline: 'orders', from: at(0), to: at(3600), by, ...more });

  /** 100 records that arrive at 0 s and end at 1 … 100 s; of version v1 2 die and 28 are filtered. */
  beforeAll(async () => {
    await registerPipeline(context.store, 'orders');
    const records: RecordState[] = Array.from({ length: 101 }, (_, index) => ({
      index,
      key: `k${index}`,
      arrivedAt: at(0).toISOString(),
      fields: {},
    }));
    await context.store.ledger.open({ batch: batchOf('orders', 'b1'), records, replace: false });
    const outcomes = records.map(({ index, key }): Outcome => {
      if (index === 100) return { state: 'cancelled', key };
      if (index < 2) return { state: 'dead', key, in: 'parse', code: 'BAD', message: '' };
      return index < 30 ? { state: 'filtered', key, by: 'f', reason: 'no' } : { state: 'completed', key, output: {} };
    });
    await context.store.ledger.close({ batchId: 'b1', outcomes, inputs: inputsOf([]) });
    await context.sql.query(`update autoflow.records set ended_at = arrived_at + (substr(key, 2)::int + 1) * interval '1 second'`);
    await context.store.metering.writeInvocations([
      invocationOf({
        runId: 'a',
        startedAt: at(0),
        recordsIn: 60,
        retried: 10,
        recordsOut: 48,
        dead: 2,
        durationMs: 1000,
        cold: true,
        peakMemoryMb: 99,
      }),
      invocationOf({
        runId: 'b',
        startedAt: at(9),
        recordsIn: 50,
        recordsOut: 50,
        gateMs: 400,
        coldStartMs: 100,
        durationMs: 500,
        executionId: 'e2',
        cpuMs: 60,
      }),
      invocationOf({ runId: 'b', activityId: '2', stage: 'store', startedAt: at(10), outcome: 'out-of-memory', recordsOut: 0, spans: [] }),
      invocationOf({ runId: 'x', pipeline: 'other', startedAt: at(5) }),
      invocationOf({ runId: 'y', startedAt: at(7200) }),
    ]);
    await context.store.metering.writePoolUsage([
      poolUsageOf({ from: at(0) }),
      poolUsageOf({ from: at(10), stage: 'store', busyS: 15, usedMbS: 1280 }),
    ]);
  });

  test('per version: from records, what they cost, and how the pools were used', async () => {
    const [row, ...rest] = await query('version');
    expect(rest).toEqual([]);
    expect(row).toEqual({
      version: 'v1',
      records: 100,
      invocations: 3,
      throughput: expect.closeTo(98 / 100, 9),
      latency: {
        mean: expect.closeTo(50_500, 3),
        p50: expect.closeTo(50_500, 3),
        p95: expect.closeTo(95_050, 3),
        p99: expect.closeTo(99_010, 3),
      },
      errorRate: 0.02,
      costPer1000: { withoutActions: expect.closeTo(0.03, 9), all: expect.closeTo(0.03 + 7 * ACTION * 10, 9) },
      utilisation: { memory: expect.closeTo(1920 / 5120, 9), instances: expect.closeTo(0.5, 9) },
      cpuMs: 140,
      coldStarts: 1,
      peakMemoryMb: 99,
    });
  });

  test('per stage: from invocations; records that come again count once', async () => {
    const [parse, store] = await query('stage');
    expect(parse).toMatchObject({
      stage: 'parse',
      records: 100,
      invocations: 2,
      throughput: expect.closeTo(9.8, 9),
      errorRate: 0.02,
      coldStarts: 1,
    });
    expect(parse?.latency).toEqual({ mean: 750, p50: 750, p95: 975, p99: 995 });
    expect(parse?.costPer1000).toEqual({ withoutActions: expect.closeTo(0.02, 9), all: expect.closeTo(0.02 + 2 * ACTION * 10, 9) });
    expect(parse?.utilisation).toEqual({ memory: 0.25, instances: 0.25 });
    expect(store).toMatchObject({
      stage: 'store',
      records: 0,
      invocations: 1,
      errorRate: 0,
      utilisation: { memory: 0.5, instances: 0.75 },
    });
    expect(store).not.toHaveProperty('costPer1000');
  });

  test('per function: from spans, with its part of the cost of the invocation', async () => {
    const [find, parse, ...rest] = await query('function');
    expect(rest).toEqual([]);
    expect(parse).toMatchObject({
      function: 'parse',
      stage: 'parse',
      version: 'v1',
      records: 20,
      invocations: 2,
      cpuMs: 75,
      latency: { mean: 75, p50: 75 },
    });
    expect(parse?.costPer1000?.withoutActions).toBeCloseTo(((0.002 * 0.75) / 20) * 1000, 9);
    expect(find?.costPer1000?.all).toBeCloseTo((((0.002 + 2 * ACTION) * 0.25) / 20) * 1000, 9);
    expect(parse?.utilisation).toEqual({ memory: expect.closeTo(0.25 * 0.75, 9), instances: expect.closeTo(0.25 * 0.75, 9) });
    expect(find?.utilisation).toEqual({ memory: expect.closeTo(0.25 * 0.25, 9), instances: expect.closeTo(0.25 * 0.25, 9) });
  });

  test('a window, a version, a scope or a pipeline without anything has no rows', async () => {
    expect(await query('version', { from: at(3600), to: at(3601) })).toEqual([]);
    for (const by of ['version', 'stage', 'function'] as const) {
      expect(await query(by, { scope: 'elsewhere' })).toEqual([]);
      expect(await query(by, { version: 'v9' })).toEqual([]);
      expect(await query(by, { pipeline: 'nowhere' })).toEqual([]);
    }
  });

  test('functions that took no measurable time share the cost evenly', async () => {
    await context.store.metering.writeInvocations([
      invocationOf({ runId: 'z', pipeline: 'instant', startedAt: at(1), spans: [spanOf('a', 0), spanOf('b', 0)] }),
    ]);
    const rows = await query('function', { pipeline: 'instant' });
    expect(rows.map((row) => row.costPer1000?.withoutActions)).toEqual([expect.closeTo(0.05, 9), expect.closeTo(0.05, 9)]);
  });

  test('of a version that has lost its traffic long ago, its last day is told', async () => {
    const { definitions, metering, metrics } = context.store;
    await registerPipeline(context.store, 'past');
    const daysAgo = (days: number) => new Date(Date.now() - 86_400_000 * days);
    expect(await metrics.lastDay('past', 'v1')).toBeUndefined();
    await metering.writeInvocations(
      [5, 5, 4].map((days, i) => invocationOf({ runId: `past-${i}`, pipeline: 'past', startedAt: daysAgo(days) })),
    );
    const of = async () => (await metrics.lastDay('past', 'v1'))?.invocations;
    // Idle since, it is stable still; then another one is, and this one is found behind any number of batches of that.
    await context.sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, opened_at)
       values ('past-1', 'past', 'v1', 'r1', 'live', 'e', '{}', '{}', 'stable', $1)`,
      [daysAgo(3.9)],
    );
    expect(await of()).toBe(1);
    await context.sql.query(`update autoflow.batches set opened_at = $1 where id = 'past-1'`, [daysAgo(4.5)]);
    expect(await of()).toBe(2);
    const other = { ...topology, batch: { records: 7, bytes: 1024 } };
    await definitions.registerVersion({ pipeline: 'past', hash: 'past-2', release: 'r1', topology: other, envelope, allocation, by });
    await definitions.setStable({ pipeline: 'past', version: 'v2', by });
    await context.sql.query(`update autoflow.version_statuses set at = $1 where pipeline = 'past' and status = 'retired'`, [daysAgo(3.9)]);
    await context.sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, opened_at)
       select 'past-many-' || i, 'past', 'v2', 'r1', 'live', 'e', '{}', '{}', 'stable', now() - i * interval '1 second' from generate_series(1, 10001) i`,
    );
    expect(await of()).toBe(2);
    await context.sql.query(`delete from autoflow.batches where id = 'past-1'`);
    expect(await of()).toBe(1);
  });

  test('invocations are found by execution and stage, newest first', async () => {
    const find = async (more: object) =>
      (await context.store.metrics.invocations({ pipeline: 'orders', limit: 2, ...more })).map(({ runId, stage }) => [runId, stage]);
    expect(await find({})).toEqual([
      ['y', 'parse'],
      ['b', 'store'],
    ]);
    expect(await find({ stage: 'parse', version: 'v1' })).toEqual([
      ['y', 'parse'],
      ['b', 'parse'],
    ]);
    expect(await find({ executionId: 'e2' })).toEqual([['b', 'parse']]);
    expect(await find({ since: new Date('2100-01-01') })).toEqual([]);
  });

  test('calibrations are apart from them: no metric counts them', async () => {
    const { metering, metrics } = context.store;
    const row = invocationOf({ runId: 'calibration', pipeline: 'calibrated', stage: 'alone' });
    await metering.writeCalibrations([row, row]);
    expect(await metrics.calibrations({ pipeline: 'calibrated', limit: 10 })).toEqual([{ ...row, calibration: true }]);
    expect(await metrics.invocations({ pipeline: 'calibrated', limit: 10 })).toEqual([]);
    expect(await metrics.metrics({ pipeline: 'calibrated', by: 'stage', from: new Date(0), to: new Date('2100-01-01') })).toEqual([]);
    // Takes what else is here along: it is from long ago.
    await metering.maintain(7);
    expect(await metrics.calibrations({ pipeline: 'calibrated', limit: 10 })).toEqual([]);
  });
});

describe('the shape of a load', () => {
  const context = useTestStore();
  const shape = (more: object = {}) =>
    context.store.metrics.shape({ pipeline: 'orders', version: 'v1', from: at(0), to: at(7200), ...more });
  /** A record at each of these seconds, ended half a second later. */
  const arrive = async (batch: string, seconds: readonly number[]): Promise<void> => {
    const records = seconds.map((second, index): RecordState => ({
      index,
      key: `${batch}-${index}`,
      arrivedAt: new Date(at(0).getTime() + second * 1000).toISOString(),
      fields: {},
    }));
    await context.store.ledger.open({ batch: batchOf('orders', batch), records, replace: false });
    const outcomes = records.map(({ key }): Outcome => ({ state: 'completed', key, output: {} }));
    await context.store.ledger.close({ batchId: batch, outcomes, inputs: inputsOf([]) });
    await context.sql.query(`update autoflow.records set ended_at = arrived_at + interval '500 milliseconds' where batch_id = $1`, [batch]);
  };
  /** Ten records in the first tenth of every five seconds. */
  const bursts = (seconds: number, from = 0) =>
    Array.from({ length: seconds / 5 }, (_, i) => Array.from({ length: 10 }, (_, k) => from + 5 * i + k / 100)).flat();
  const lasting = (of: LoadShape | undefined): number => of!.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;

  beforeAll(() => registerPipeline(context.store, 'orders'));

  test('is that of the arrivals of the latest ten minutes, and none where nothing came', async () => {
    expect(await shape()).toBeUndefined();
    await arrive('b1', bursts(100));
    const of100s = (await shape())!;
    expect(lasting(of100s)).toBeCloseTo(95.1, 1);
    expect(of100s.filter(({ multiple }) => multiple > 10)).toHaveLength(20);
    expect(lasting(await shape({ to: at(30) }))).toBeCloseTo(25.1, 1);
    expect(await shape({ scope: 'elsewhere' })).toBeUndefined();
    expect(await shape({ version: 'v2' })).toBeUndefined();
    await arrive('b2', bursts(1200, 100));
    expect(lasting(await shape())).toBeCloseTo(595.1, 1);
  });

  test('what is still on its way is part of it: of its burst nothing may have ended yet', async () => {
    const before = (await shape())!;
    const records = Array.from({ length: 301 }, (_, n) => ({
      key: `w${n}`,
      record: { id: `w${n}` },
      digest: recordDigest({ n }),
      bytes: 2,
    }));
    await context.store.inbox.accept({ pipeline: 'orders', scope: 'live', records });
    await context.sql.query(
      `update autoflow.inbox set arrived_at = $1::timestamptz + case key when 'w300' then 10000 else substr(key, 2)::int end * interval '1 millisecond'`,
      [at(1320)],
    );
    const after = (await shape())!;
    expect(Math.max(...after.map(({ multiple }) => multiple))).toBeGreaterThan(5 * Math.max(...before.map(({ multiple }) => multiple)));
    expect(lasting(after.slice(-1))).toBeGreaterThan(9);
    await context.sql.query('delete from autoflow.inbox');
    expect(await shape()).toEqual(before);
  });

  test('is that of all versions, since the one that is asked for had its first record', async () => {
    const all = await shape();
    await context.sql.query(
      `update autoflow.records set version = 'v2' where arrived_at >= $1 and substr(key, length(key)) in ('1', '2')`,
      [at(900)],
    );
    expect(await shape()).toEqual(all);
    expect(lasting(await shape({ version: 'v2' }))).toBeCloseTo(395, 0);
    await context.sql.query(`update autoflow.records set version = 'v1'`);
  });

  test('a backfill is no part of it', async () => {
    const before = await shape();
    await context.store.backfills.create(
      { id: 'old', pipeline: 'orders', scope: 'old', source: { kind: 'jsonl', path: 'x' }, concurrency: 1 },
      by,
    );
    await arrive(
      'b3',
      Array.from({ length: 200 }, () => 1250),
    );
    expect(await shape()).not.toEqual(before);
    await context.sql.query(`update autoflow.batches set backfill_id = 'old' where id = 'b3'`);
    expect(await shape()).toEqual(before);
  });
});
