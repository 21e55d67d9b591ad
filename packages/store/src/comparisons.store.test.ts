import type { Outcome, RecordState } from '@autoflow/pipeline';
import { PUBLISHED_PRICES } from '@autoflow/twin';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ComparedArm, ComparisonQuery } from './comparisons.model.js';
import { recordDigest } from './record-digest.js';
import { allocation, batchOf, by, envelope, inputsOf, registerPipeline, topology, useTestStore } from './testing/fixtures.js';
import { invocationOf } from './testing/measurements.js';

const ACTION = PUBLISHED_PRICES.temporalAction.usd;
const START = Date.UTC(2026, 2, 4, 10);
const at = (seconds: number) => new Date(START + seconds * 1000);

describe('arms compared', () => {
  const context = useTestStore();
  const blocks = (more: Partial<ComparisonQuery> = {}) =>
    context.store.comparisons.blocks({
      pipeline: 'orders',
      ours: { arm: 'candidate' },
      theirs: { arm: 'control' },
      from: START,
      to: START + 25_000,
      blockMs: 10_000,
      ...more,
    });

  /** Ten records of each arm that arrive in the first second; those of the candidate take 2 s, those of the control 1 to 10 s. */
  const batch = async (arm: ComparedArm, id: string, msOf: (index: number) => number, ended = 10) => {
    const records: RecordState[] = Array.from({ length: 10 }, (_, index) => ({
      index,
      key: `${id}-${index}`,
      arrivedAt: at(0).toISOString(),
      fields: {},
    }));
    await context.store.ledger.open({ batch: { ...batchOf('orders', id), arm }, records, replace: false });
    await context.sql.query('update autoflow.batches set opened_at = $2, arm = $3 where id = $1', [id, at(1), arm]);
    if (ended < 10) return;
    const outcomes = records.map(({ index, key }): Outcome => {
      if (index === 0 && arm === 'candidate') return { state: 'dead', key, in: 'parse', code: 'BAD', message: '' };
      return index < 3 ? { state: 'filtered', key, by: 'f', reason: 'no' } : { state: 'completed', key, output: {} };
    });
    await context.store.ledger.close({ batchId: id, outcomes, inputs: inputsOf([]) });
    await context.sql.query('update autoflow.batches set closed_at = $2 where id = $1', [id, at(12)]);
    for (const { index, key } of records)
      await context.sql.query('update autoflow.records set ended_at = $2 where key = $1', [key, new Date(START + msOf(index))]);
  };
  beforeAll(async () => {
    await registerPipeline(context.store, 'orders');
    await batch('candidate', 'c1', () => 2_000);
    await batch('control', 's1', (index) => 1_000 * (index + 1));
    await batch('stable', 'x1', () => 99_000);
    const spent = { pipeline: 'orders', startedAt: at(2), costUsd: 0.002 };
    await context.store.metering.writeInvocations([
      invocationOf({ ...spent, runId: 'a', batchId: 'c1', recordsIn: 10, retried: 2 }),
      invocationOf({ ...spent, runId: 'b', batchId: 'c1', recordsIn: 2, outcome: 'out-of-memory' }),
      invocationOf({ ...spent, runId: 'c', batchId: 's1', recordsIn: 10, retried: 0 }),
      invocationOf({ ...spent, runId: 'd', batchId: 'x1', recordsIn: 10 }),
    ]);
  });

  test('by the block in which records arrived, and that in which batches were closed', async () => {
    const [first, second, ...rest] = await blocks();
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      at: START,
      ours: { records: 10, running: 0, dead: 1, filtered: 2, latencyMs: 20_000, slow95: 0, errors: expect.closeTo(4, 9), charged: 0 },
      theirs: { records: 10, dead: 0, filtered: 3, latencyMs: 55_000, slow95: 0, slow99: 0, errors: 0 },
    });
    expect(second).toMatchObject({
      at: START + 10_000,
      ours: { records: 0, charged: 10, costUsd: expect.closeTo(0.004 + 4 * ACTION, 9) },
      theirs: { records: 0, charged: 10, costUsd: expect.closeTo(0.002 + 3 * ACTION, 9) },
    });
  });

  test('slow are those beyond the quantile of the other arm, by a factor', async () => {
    const [block] = await blocks({ ours: { arm: 'control' }, theirs: { arm: 'candidate' }, slower: { p95: 2, p99: 4.5 } });
    expect(block?.ours).toMatchObject({ slow95: 6, slow99: 1 });
  });

  test('blocks are whole, versions can be named, and nothing is nothing', async () => {
    expect(await blocks({ to: START + 9_999 })).toEqual([]);
    expect((await blocks({ to: START + 19_999 })).map((block) => block.at)).toEqual([START]);
    expect(await blocks({ ours: { arm: 'candidate', version: 'v9' }, theirs: { arm: 'control', version: 'v9' } })).toEqual([]);
    expect(await blocks({ pipeline: 'nowhere' })).toEqual([]);
  });

  test('the workload is what came, whatever it ran on', async () => {
    const rows = await context.store.comparisons.workload({ pipeline: 'orders', from: START, to: START + 60_000, blockMs: 10_000 });
    expect(rows).toEqual([{ at: START, records: 30, bytes: 3, settled: 30, filtered: 2 + 3 + 3 }]);
  });

  test('what ran on a version is of all arms', async () => {
    const ran = (version: string, to = START + 60_000) =>
      context.store.comparisons.recordsOn({ pipeline: 'orders', version, from: START, to });
    expect([await ran('v1'), await ran('v2'), await ran('v1', START + 500)]).toEqual([30, 0, 0]);
  });

  test('totals are of the batches', async () => {
    const totals = await context.store.comparisons.totals('orders', START, START + 60_000);
    expect(totals.candidate).toEqual({ records: 10, dead: 1, costUsd: expect.closeTo(0.004 + 4 * ACTION, 9) });
    expect(Object.keys(totals).sort()).toEqual(['candidate', 'control', 'stable']);
    await context.store.definitions.registerVersion({ pipeline: 'orders', hash: 'h2', release: 'r1', topology, envelope, allocation, by });
    await context.sql.query(
      `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings, ended_at)
       values ('ro', 'orders', 'v2', 'v1', true, '', '', '{}', now()), ('sliced', 'orders', 'v1', 'v2', true, '', '', '{}', now())`,
    );
    const kept = (to = START + 60_000, rollout = 'ro') => context.store.comparisons.totals('orders', START, to, rollout);
    expect(await kept()).toEqual(totals);
    // Its control ran what the candidate does.
    const { candidate, ...others } = await kept(START + 60_000, 'sliced');
    expect([candidate, Object.keys(others)]).toEqual([
      { records: 20, dead: 1, costUsd: expect.closeTo(0.006 + 7 * ACTION, 9) },
      ['stable'],
    ]);
    await context.sql.query(`update autoflow.invocations set cost_usd = 1`);
    expect(await kept()).toEqual(totals);

    // Of a later batch, nothing is looked for among the invocations long before it was opened; a clock of a host may be behind.
    await batch('candidate', 'c9', () => 45_000);
    await context.sql.query(`update autoflow.batches set opened_at = $1, closed_at = now() where id = 'c9'`, [at(900)]);
    await context.store.metering.writeInvocations(
      [3, 895, 901].map((second) =>
        invocationOf({ pipeline: 'orders', runId: `c9 ${second}`, batchId: 'c9', startedAt: at(second), costUsd: 1 }),
      ),
    );
    const { costUsd } = totals.candidate!;
    expect((await kept(START + 1_000_000)).candidate).toEqual({
      records: 20,
      dead: 2,
      costUsd: expect.closeTo(costUsd + 2 + 4 * ACTION, 9),
    });
  });

  test('a window is settled when all that was opened in it is closed, and has been for as long as hosts take to write', async () => {
    const settled = (from: number, to: number) => context.store.comparisons.settled('orders', START + from * 1_000, START + to * 1_000);
    expect(await settled(0, 60)).toBe(true);
    await batch('stable', 'o1', () => 0, 0);
    await context.sql.query(`update autoflow.batches set opened_at = $1 where id = 'o1'`, [at(2_000)]);
    expect([await settled(1_990, 2_001), await settled(1_990, 2_000), await settled(2_001, 2_010)]).toEqual([false, true, true]);
    const closed = (ago: string) =>
      context.sql.query(`update autoflow.batches set state = 'closed', closed_at = now() - $1::interval where id = 'o1'`, [ago]);
    await closed('5 seconds');
    expect([await settled(1_990, 2_001), await settled(1_990, 2_000)]).toEqual([false, true]);
    await closed('11 seconds');
    expect(await settled(1_990, 2_001)).toBe(true);
  });

  test('records that run or wait count with their age', async () => {
    const now = await context.store.comparisons.clock();
    await context.store.arms.setArms({
      pipeline: 'orders',
      candidate: { version: 'v1', share: 5_000 },
      control: { version: 'v1', share: 5_000 },
      by,
    });
    await context.store.inbox.accept({
      pipeline: 'orders',
      scope: 'live',
      records: Array.from({ length: 40 }, (_, i) => ({ key: `w${i}`, record: { id: i }, digest: recordDigest({}), bytes: 9 })),
    });
    await batch('candidate', 'c2', () => 0, 0);
    await context.sql.query(`update autoflow.records set arrived_at = to_timestamp($1::float8 / 1000) where batch_id = 'c2'`, [now]);
    await context.sql.query(`update autoflow.batches set opened_at = to_timestamp($1::float8 / 1000) where id = 'c2'`, [now]);
    await context.sql.query(`update autoflow.inbox set arrived_at = to_timestamp($1::float8 / 1000)`, [now]);
    const window = { from: now - 1_000, to: now + 9_000, blockMs: 10_000 };
    const [running] = await blocks(window);
    expect(running?.ours).toMatchObject({ records: 10, running: 10 });
    const [waiting] = await blocks({ ...window, waiting: true });
    expect(waiting!.ours.records + waiting!.theirs.records).toBe(50);
    expect(waiting!.theirs.running).toBe(waiting!.theirs.records);
    expect(waiting!.theirs.latencyMs).toBeGreaterThan(0);
  });
});
