import type { Outcome, RecordState } from '@autoflow/pipeline';
import { PUBLISHED_PRICES } from '@autoflow/twin';
import { beforeAll, describe, expect, test } from 'vitest';
import { allocation, batchOf, by, connect, inputsOf, registerPipeline, topology, useTestStore } from './testing/fixtures.js';
import { invocationOf } from './testing/measurements.js';

const context = useTestStore();
const at = (seconds: number) => new Date(Date.UTC(2026, 2, 4, 10, 0, seconds));
const scorer = (id: string, kept: boolean, base?: string) => ({
  id,
  pipeline: 'orders',
  release: 'r1',
  kept,
  ...(base !== undefined && { base }),
  reason: 'because',
  about: { seed: 1 },
  file: `file of ${id}`,
});

describe('what versions did, stretch by stretch', () => {
  /** One record a second for two minutes, each done after as many hundredths as it has a number; the allocation changes in the second minute. */
  beforeAll(async () => {
    await registerPipeline(context.store, 'orders');
    const records: RecordState[] = Array.from({ length: 120 }, (_, index) => ({
      index,
      key: `k${index}`,
      arrivedAt: at(index).toISOString(),
      fields: {},
    }));
    await context.store.ledger.open({ batch: batchOf('orders', 'b1'), records, replace: false });
    const outcomes = records.map(({ key, index }): Outcome => (index === 3 ? { state: 'dead', key, in: 'parse', code: 'BAD', message: '' } : { state: 'completed', key, output: {} })); // prettier-ignore
    await context.store.ledger.close({ batchId: 'b1', outcomes, inputs: inputsOf([]) });
    await context.sql.query(`update autoflow.records set ended_at = arrived_at + substr(key, 2)::int * interval '1 millisecond'`);
    const rows = [1, 20, 70].map((second, i) =>
      invocationOf({ runId: `r${i}`, executionId: `e${i}`, startedAt: at(second), costUsd: 0.002 }),
    );
    await context.store.metering.writeInvocations(rows);
    await context.store.definitions.setAllocation({ pipeline: 'orders', version: 'v1', stages: { ...allocation, parse: { memoryMb: 256, concurrency: 1 } }, by }); // prettier-ignore
    await context.sql.query(`update autoflow.audit set at = $1 where action = 'allocation.set'`, [at(90)]);
    // Of another version: they change nothing for this one.
    await changed('v0', other, allocation, 40);
    await changed('v0', allocation, other, 200);
  });
  const other = { ...allocation, parse: { memoryMb: 128, concurrency: 1 } };
  const changed = (version: string, before: object, after: object, second: number) =>
    context.sql.query(
      `insert into autoflow.audit (actor, action, pipeline, reason, at, before, after) values ('a', 'allocation.set', 'orders', 'r', $1, $2, $3)`,
      [at(second), JSON.stringify({ version, stages: before }), JSON.stringify({ version, stages: after })],
    );
  const history = (more: object = {}) =>
    context.store.scorers.history({
      ...{ pipeline: 'orders', release: 'r1', from: at(0), to: at(600), stretchMs: 60_000, fewestRecords: 20, limit: 10, ...more },
    });

  test('with the allocation that it had, and none of a stretch in which that was changed', async () => {
    const found = await history();
    expect(found).toHaveLength(1);
    expect(found[0]).toEqual({
      version: 'v1',
      at: at(0),
      topology,
      allocation,
      records: 60,
      ratePerSecond: expect.closeTo(60 / 59, 6),
      throughput: expect.closeTo(59 / 59.059, 2),
      p95Ms: expect.closeTo(56.05, 2),
      costPer1000: expect.closeTo((1000 * (0.004 + (2 + 2 * 2) * PUBLISHED_PRICES.temporalAction.usd)) / 60, 1),
    });
  });

  test('with the one that was set last before it, whatever was set as it was', async () => {
    await changed('v1', allocation, other, 0);
    await changed('v1', other, other, 30);
    // A change at its very beginning is one in it.
    expect(await history()).toEqual([]);
    const shifted = await history({ from: at(5), stretchMs: 40_000 });
    expect(shifted.map((one) => [one.at, one.allocation])).toEqual([[at(45), other], [at(5), other]]); // prettier-ignore
    expect(await history({ from: at(5), stretchMs: 40_000, limit: 1 })).toEqual(shifted.slice(0, 1));
    await context.sql.query(`delete from autoflow.audit where actor = 'a' and before ->> 'version' = 'v1'`);
  });

  test('only of the release, and of stretches with enough in them', async () => {
    expect(await history({ release: 'r2' })).toEqual([]);
    expect(await history({ fewestRecords: 61 })).toEqual([]);
  });
});

test('the newest that is kept is used; what is no better is told of, and nothing is written twice', async () => {
  const { scorers } = context.store;
  expect(await scorers.current('orders', 'r1')).toBeUndefined();
  for (const [id, kept, base] of [['s1', true, undefined], ['s2', true, 's1'], ['s3', false, 's2']] as const) await scorers.add(scorer(id, kept, base)); // prettier-ignore
  await scorers.add({ ...scorer('s2', false), file: 'another' });
  expect(await scorers.current('orders', 'r1')).toEqual({ id: 's2', about: { seed: 1 }, file: 'file of s2' });
  expect((await scorers.page('orders', { limit: 2 })).map(({ id, kept }) => [id, kept])).toEqual([['s3', false], ['s2', true]]); // prettier-ignore
  expect((await scorers.page('orders', { limit: 2, after: 's2' })).map(({ id }) => id)).toEqual(['s1']);
  expect(await scorers.get('s1')).toMatchObject({ pipeline: 'orders', kept: true, about: { seed: 1 }, createdAt: expect.any(Date) });
  expect(await scorers.current('orders', 'r2')).toBeUndefined();
  expect(await scorers.current('others', 'r1')).toBeUndefined();
});

test('of two that were held against the same scorer, at once, only the first is kept', async () => {
  const { scorers } = context.store;
  const other = await connect(context.stack.databaseUrl);
  await other.query(`begin; select from autoflow.pipelines where name = 'orders' for update`);
  const added = Promise.all(['t1', 't2'].map((id) => scorers.add(scorer(id, true, 's2'))));
  const waiting = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await context.sql.query<{ n: number }>(waiting)).rows[0]!.n).toBe(2);
  await other.end();
  const [kept, overtaken] = (await added).toSorted((a, b) => Number(b.kept) - Number(a.kept));
  expect([kept!.kept, overtaken!.kept]).toEqual([true, false]);
  expect(overtaken!.reason).toBe(`because But meanwhile ${kept!.id} is used, which it was not held against: retrain again.`);
  expect((await scorers.current('orders', 'r1'))?.id).toBe(kept!.id);
});

test('who asked for one, and why, is in the audit log', async () => {
  await context.store.scorers.asked({ id: 's9', pipeline: 'orders', request: { seed: 2 } }, { actor: 'ann', reason: 'much has changed' });
  expect((await context.store.access.audit({ action: 'scorer.retrain', limit: 1 }))[0]).toMatchObject({
    ...{ actor: 'ann', pipeline: 'orders', reason: 'much has changed' },
    after: { id: 's9', request: { seed: 2 } },
  });
});
