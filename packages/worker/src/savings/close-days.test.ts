import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { comparisonOf, midnight, restoredSavings, savedIn } from '@autoflow/experiment';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type InvocationRow, type Store } from '@autoflow/store';
import { closeDays } from './close-days.js';

const stack = useTestStack();
const DAY_MS = 86_400_000;
const by = { actor: 'tester', reason: 'because' };
const topology = {
  stages: [{ name: 'parse', nodes: ['parse'], after: [], partitions: 1 }],
  batch: { records: 1, bytes: 1024 },
  lingerMs: 0,
};
const spec = { name: 'orders', key: 'id', input: ['id'], output: ['id'], nodes: [], resources: [], schemas: { input: {}, output: {} } };
const defined = {
  topology,
  envelope: { parse: { memoryMb: [128], concurrency: { min: 1, max: 1 } } },
  allocation: { parse: { memoryMb: 128, concurrency: 1 } },
};
const logged: object[] = [];
const log = (_level: string, _message: string, details?: object) => logged.push(details ?? {});
let store: Store;
let sql: pg.Client;
let now: number;
/** Of a day that is over; it was promoted an hour before. */
let from: number;
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  await store.definitions.registerRelease({
    release: { pipeline: 'orders', hash: 'r1', spec },
    ...defined,
    by,
  });
  await registerSecond('orders');
  now = await store.comparisons.clock();
  from = midnight(now) - 2 * DAY_MS;
  await day(from);
  await sql.query(
    `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings, state, ended_at)
     values ('ro-1', 'orders', 'v2', 'v1', false, '', '', '{}', 'promoted', to_timestamp($1::float8 / 1000))`,
    [from - 3_600_000],
  );
});
afterAll(async () => {
  await sql.end();
  await store.close();
});

const registerSecond = (pipeline: string) => store.definitions.registerVersion({ pipeline, hash: 'h2', release: 'r1', ...defined, by });

/** A batch of each arm every half hour; those of the holdout cost twice as much as those of the slice beside it, and those of all others a tenth. */
async function day(from: number): Promise<void> {
  const { rows } = await sql.query<{ id: string; arm: string; at: Date }>(
    `with b as (
       insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, state, opened_at, closed_at)
       select arm || i, 'orders', case arm when 'holdout' then 'v1' else 'v2' end, 'r1', 'live', arm || i, '{}', '{}', arm, 1, 1, 'closed', at, at + interval '1 s'
         from generate_series(0, 46) i, unnest(array['stable', 'control', 'holdout']) arm, lateral (select to_timestamp($1::float8 / 1000) + i * interval '30 min' as at) t
       returning *),
     r as (
       insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
       select 'orders', 'live', id, 'completed', id, 'v1', 'r1', opened_at, closed_at from b)
     select id, arm, opened_at as at from b`,
    [from],
  );
  const usage = {
    queueMs: 0,
    gateMs: 0,
    cold: false,
    coldStartMs: 0,
    durationMs: 1,
    cpuMs: 1,
    runQueueMs: 0,
    peakMemoryMb: 1,
    memoryMb: 128,
  };
  const counts = { recordsIn: 1, recordsOut: 1, filtered: 0, dead: 0, retried: 0, bytesIn: 1, bytesOut: 1 };
  await store.metering.writeInvocations(
    rows.map(({ id, arm, at }): InvocationRow => ({
      ...{ runId: id, activityId: '1', attempt: 1, executionId: id, pipeline: 'orders', release: 'r1', version: 'v1', stage: 'parse' },
      ...{ scope: 'live', batchId: id, host: 'h', startedAt: at, enforcement: 'soft', outcome: 'ok', spans: [] },
      ...usage,
      ...counts,
      costUsd: { stable: 0.001, control: 0.01, holdout: 0.02 }[arm]!,
    })),
  );
}

test('a pipeline whose days cannot be written down keeps no other one waiting, and is named', async () => {
  await store.definitions.registerRelease({
    release: { pipeline: 'broken', hash: 'r1', spec: { ...spec, name: 'broken' } },
    ...defined,
    by,
  });
  await registerSecond('broken');
  await sql.query(
    `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings, state, ended_at)
     select 'ro-2', 'broken', version, baseline, own, actor, reason, settings, state, ended_at from autoflow.rollouts where id = 'ro-1'`,
  );
  await sql.query(`alter table autoflow.savings_days add constraint refused check (pipeline <> 'broken')`);
  const kept = async (pipeline: string) => (await store.savings.days(pipeline, 0, Date.now())).length;
  expect(await closeDays(store, log)).toEqual(['broken']);
  expect(logged).toMatchObject([{ pipeline: 'broken', error: expect.stringContaining('refused') }]);
  expect([(await kept('orders')) > 0, await kept('broken')]).toEqual([true, 0]);
  await sql.query(`alter table autoflow.savings_days drop constraint refused`);
  expect(await closeDays(store, log)).toEqual([]);
  expect(await kept('broken')).toBe(await kept('orders'));
});

test('a day that is over stays in the ledger as it was, when its rows are dropped', async () => {
  // Of the day before, on which it was promoted, nothing is measured: a row that came late has a day of its own.
  const [old, next] = [-5, -4].map((days) => new Date(from + days * DAY_MS).toISOString().slice(0, 10));
  await sql.query(
    `create table autoflow.invocations_${old!.replaceAll('-', '')} partition of autoflow.invocations for values from ('${old}Z') to ('${next}Z')`,
  );
  expect(await closeDays(store, log)).toEqual([]);
  const days = () => store.savings.days('orders', 0, now);
  const [kept, ...later] = await days();
  expect(later.length).toBeLessThanOrEqual(1);
  expect(kept).toMatchObject({ version: 'v2', against: 'v1', from, to: from + DAY_MS });
  const { records, savedUsd } = restoredSavings(kept!.savings);
  // Of all that it ran, at what the slice saved of each record.
  expect([records, savedUsd!.estimate]).toEqual([94, expect.closeTo(0.94, 6)]);
  expect(savedUsd!.low).toBeGreaterThan(0);

  await store.metering.maintain(0);
  const fromRows = savedIn(await store.comparisons.blocks({ pipeline: 'orders', ...comparisonOf(kept!) }), 94);
  expect(fromRows.savedUsd!.estimate).toBeCloseTo(0, 6);
  await closeDays(store, log);
  expect((await days())[0]).toEqual(kept);
});
