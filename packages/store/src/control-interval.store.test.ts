import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { measureInterval } from './control-interval.store.js';
import type { Database } from './database.js';
import { allocation, by, envelope, registerPipeline, topology, useTestStore } from './testing/fixtures.js';
import { poolUsageOf } from './testing/measurements.js';

const TO = Date.UTC(2026, 2, 4, 10);
const at = (seconds: number) => new Date(TO + seconds * 1000);

describe('an interval of a version', () => {
  const context = useTestStore();
  const request = {
    pipeline: 'orders',
    version: 'v1',
    from: at(-15),
    to: at(0),
    stages: topology.stages.map(({ name, after, partitions }) => ({ name, after, partitions, memoryMb: 128 })),
    sloMs: 2_000,
    longestMs: 60_000,
  };
  const measure = (more: Partial<typeof request> = {}) => context.store.control.measure({ ...request, ...more });
  beforeAll(async () => {
    await registerPipeline(context.store, 'orders');
    await context.store.definitions.registerVersion({
      pipeline: 'orders',
      hash: 'other',
      release: 'r1',
      topology,
      envelope,
      allocation,
      parent: 'v1',
      by,
    });
  });

  test('is told of batches by index, however many there have been', async () => {
    // Every tenth by the direct door; one every 0.4 s, closed after a second, but for the last four.
    await context.sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, state, ref, memory_mb, opened_at, closed_at, arm, completed)
       select 'b' || n, 'orders', 'v1', 'r1', 'live', 'e' || n, case when n < 4 then 'open' else 'closed' end, '{"counts":{"records":3}}', '{}',
              opened_at, case when n >= 4 then opened_at + interval '1 second' end, case when n % 10 > 0 then 'stable' end, 3
         from (select n, $1::timestamptz - n * interval '400 milliseconds' as opened_at from generate_series(0, 99999) n) b`,
      [at(1)],
    );
    await context.sql.query('analyze autoflow.batches');
    const { opened, openedRecords, closed, stages } = await measure();
    // Opened were those of n = 3 to 39, closed those of 5 to 42; at the end 3 was open, and 4 was closed just after it.
    expect({ opened, openedRecords, closed }).toEqual({ opened: 37, openedRecords: 111, closed: 38 });
    expect(stages['parse']?.present).toBe(2);
    const { plans, database } = explaining();
    await measureInterval(database, request);
    const reads = plans.flatMap(nodesOf).filter((node) => node['Relation Name'] === 'batches');
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    await context.sql.query('truncate autoflow.batches');
  });

  describe('in which records wait', () => {
    const waits = (bucket: number, more: { version?: string; backfill?: string } = {}, count = 1) =>
      context.sql.query(
        `insert into autoflow.inbox (pipeline, scope, key, record, digest, bytes, bucket, version, backfill_id, arrived_at)
         select 'orders', 'live', gen_random_uuid(), '{}', '', 2, $1, $2, $3, $4 from generate_series(1, $5::int)`,
        [bucket, more.version, more.backfill, at(-5), count],
      );
    const backfill = (id: string, state: string) =>
      context.sql.query(
        `insert into autoflow.backfills (id, pipeline, scope, source, concurrency, state) values ($1, 'orders', $1, '{}', 1, $2)`,
        [id, state],
      );
    const waiting = async (version: string) => {
      const { waitingRecords, lateRecords } = await measure({ version });
      expect(lateRecords).toBe(waitingRecords);
      return waitingRecords;
    };
    beforeEach(() => context.sql.query('truncate autoflow.inbox, autoflow.backfills'));

    test('counts those of its arms, and those that are pinned to it', async () => {
      await context.store.definitions.setStable({ pipeline: 'orders', version: 'v1', by });
      const [v1, v2] = ['v1', 'v2'].map((version) => ({ version, share: 1_000 }));
      await context.store.arms.setArms({ pipeline: 'orders', candidate: v2!, control: v1!, by });
      await waits(9_500, {}, 100);
      await waits(8_500, {}, 10);
      await waits(0, {}, 1);
      await waits(9_999, { version: 'v1' }, 1_000);
      await waits(0, { version: 'v2' }, 10_000);
      expect([await waiting('v1'), await waiting('v2')]).toEqual([1_011, 10_100]);
      await context.store.arms.setArms({ pipeline: 'orders', holdout: v2!, by });
      expect([await waiting('v1'), await waiting('v2')]).toEqual([1_110, 10_001]);
    });

    test('counts none of a backfill that is held up, and tells when it is another that is', async () => {
      for (const state of ['running', 'completed', 'paused', 'cancelled']) {
        await backfill(state, state);
        await waits(5_000, { backfill: state });
      }
      expect(await waiting('v1')).toBe(2);
      const { feeding } = await measure();
      const changed = async (change: () => Promise<unknown>) => {
        const before = (await measure()).feeding;
        await change();
        return (await measure()).feeding !== before;
      };
      expect((await measure()).feeding).toBe(feeding);
      expect(await changed(() => context.sql.query(`update autoflow.backfills set state = 'paused' where id = 'running'`))).toBe(true);
      expect(await changed(() => context.sql.query(`update autoflow.backfills set state = 'cancelled' where id = 'running'`))).toBe(true);
      expect(await changed(() => context.store.arms.setArms({ pipeline: 'orders', by }))).toBe(true);
    });
  });

  describe('in which instances work', () => {
    beforeEach(async () => {
      await context.sql.query('truncate autoflow.pool_usage');
    });
    /** Rows of five seconds, the last one ending then; `busy` on average. */
    const usage = async (end: number, rows: number, busy: number, more: { host?: string; memoryMb?: number; stage?: string } = {}) =>
      context.store.metering.writePoolUsage(
        Array.from({ length: rows }, (_, i) => {
          const to = end - 5 * i;
          return { ...poolUsageOf({ from: at(to - 5), busyS: 5 * busy, ...more }), to: at(to) };
        }),
      );
    const busy = async (seconds: number) => (await measure({ from: at(-seconds) })).stages['parse']!.busy;

    test.each([0, 1, 2, 3, 4, 4.99])('counts them as they were, where the latest row ended %d s before', async (ago) => {
      await usage(-ago, 20, 4);
      for (const seconds of [1, 5, 6, 15, 30]) expect(await busy(seconds)).toBeCloseTo(4, 6);
    });

    test('weighs what lies in it in part, also beyond its end', async () => {
      await usage(2, 1, 10);
      await usage(-3, 20, 1);
      expect(await busy(15)).toBeCloseTo((3 * 10 + 12 * 1) / 15, 6);
    });

    test('sums hosts and sizes, and takes what a host did not tell of a pool for nothing', async () => {
      await usage(-1, 20, 2, { host: 'h1' });
      await usage(-4, 20, 3, { host: 'h2' });
      // Gone for a while, and never seen on the other host.
      await usage(-11, 20, 7, { host: 'h1', memoryMb: 256 });
      expect(await busy(15)).toBeCloseTo(2 + 3 + (7 * 4) / 14, 6);
      // All of its pools are gone: it has told nothing since.
      await context.sql.query(`delete from autoflow.pool_usage where host = 'h1' or memory_mb = 256 or to_at > $1`, [at(-12)]);
      expect(await busy(15)).toBeCloseTo((3 * 1) / 9, 6);
    });
  });

  /** Runs what it is asked, and keeps how. */
  function explaining(): { readonly plans: PlanNode[]; readonly database: Database } {
    const plans: PlanNode[] = [];
    const query = async (text: string, values?: unknown[]) => {
      const { rows } = await context.sql.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (format json) ${text}`, values);
      plans.push(rows[0]!['QUERY PLAN'][0].Plan);
      return (await context.sql.query(text, values)).rows;
    };
    return { plans, database: { query } as unknown as Database };
  }
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}
const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
