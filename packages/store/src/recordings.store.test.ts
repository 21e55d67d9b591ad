import { beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailableError } from './errors.js';
import { createRecordingWriter } from './recording-writer.js';
import type { RecordedCalls, RecordedInput } from './recordings.model.js';
import { completed, inputsOf, openingOf, registerPipeline, useTestStore } from './testing/fixtures.js';

const NEVER = 1_000_000;
const LARGE = { days: 7, rows: 1_000, bytes: 1e9 };
const input = (key: string, change: Partial<RecordedInput> = {}): RecordedInput => ({
  ...{ pipeline: 'p', scope: 'live', key, arrivedAt: new Date('2026-01-02T03:04:05.678Z'), record: { id: key, text: 'a\0b\ud800' } },
  ...change,
});
const calls = (key: string, change: Partial<RecordedCalls> = {}): RecordedCalls => ({
  ...{ pipeline: 'p', scope: 'live', key, function: 'f1', node: 'parse', calls: JSON.stringify([{ answer: { fields: { n: key } } }]) },
  ...change,
});

describe('recordings', () => {
  const context = useTestStore();
  const count = async (table: string) =>
    (await context.sql.query<{ n: number }>(`select count(*)::int as n from autoflow.${table}`)).rows[0]!.n;
  beforeAll(async () => {
    await registerPipeline(context.store, 'p');
    await context.store.ledger.open(openingOf('p', 'b1', ['a', 'b', 'c']));
  });

  test('are read back as they came; the latest of a record counts; a sample holds what has an outcome', async () => {
    const { recordings, ledger } = context.store;
    await recordings.writeInputs([input('a', { record: { id: 'old' } }), input('a'), input('b'), input('never')]);
    await recordings.writeCalls([
      calls('a', { calls: '"old"' }),
      calls('a'),
      calls('a', { function: 'f2' }),
      calls('b', { scope: 'other' }),
    ]);
    expect(await recordings.sample({ pipeline: 'p', limit: 10 })).toEqual([]);
    await ledger.close({ batchId: 'b1', outcomes: completed(['a', 'c']), inputs: inputsOf(['a', 'b', 'c']) });
    const sample = await recordings.sample({ pipeline: 'p', release: 'r1', limit: 10 });
    expect(sample).toEqual([
      { ...input('a'), outcome: { state: 'completed', output: { id: 'a', doubled: 'aa' } } },
      { ...input('b'), outcome: { state: 'dead', by: 'settle', reason: 'OUTCOME_MISSING' } },
    ]);
    expect(await recordings.sample({ pipeline: 'p', release: 'r2', limit: 10 })).toEqual([]);
    expect(await recordings.calls({ pipeline: 'p', records: sample, functions: ['f1'] })).toEqual([calls('a')]);
  });

  test('of a sample those come first whose answers are written already', async () => {
    const { recordings, ledger } = context.store;
    await context.sql.query('truncate autoflow.recorded_calls, autoflow.recorded_inputs');
    const keys = ['whole', 'partly', 'filtered', 'bare'];
    await ledger.open(openingOf('p', 'b2', keys));
    const filtered = { state: 'filtered', key: 'filtered', by: 'parse', reason: 'r' } as const;
    await ledger.close({ batchId: 'b2', outcomes: [...completed(['whole', 'partly', 'bare']), filtered], inputs: inputsOf(keys) });
    for (const key of keys) await recordings.writeInputs([input(key)]);
    const price = { function: 'f2', node: 'price' };
    await recordings.writeCalls([calls('whole'), calls('whole', price), calls('partly', price), calls('filtered')]);
    const order = async (answered?: { [node: string]: string }, limit = 10) =>
      (await recordings.sample({ pipeline: 'p', ...(answered && { answered }), limit })).map(({ key }) => key);
    expect(await order()).toEqual(['bare', 'filtered', 'partly', 'whole']);
    expect(await order({ parse: 'f1', price: 'f2' })).toEqual(['filtered', 'whole', 'bare', 'partly']);
    expect(await order({ parse: 'f1', price: 'f2' }, 1)).toEqual(['filtered']);
    expect(await order({ price: 'other' })).toEqual(['filtered', 'bare', 'partly', 'whole']);
  });

  test('are removed when they are too old or too many', async () => {
    const { recordings } = context.store;
    await context.sql.query('truncate autoflow.recorded_calls, autoflow.recorded_inputs');
    for (const key of ['a', 'b', 'c']) await recordings.writeCalls([calls(key), calls(key, { function: 'f2' })]);
    await recordings.writeInputs([input('a'), input('b')]);
    await context.sql.query(`update autoflow.recorded_inputs set recorded_at = now() - interval '8 days' where key = 'a'`);
    await recordings.maintain(LARGE);
    expect([await count('recorded_inputs'), await count('recorded_calls')]).toEqual([1, 6]);
    await recordings.maintain({ ...LARGE, rows: 2 });
    const left = async () =>
      (await context.sql.query<{ key: string }>('select key from autoflow.recorded_calls order by 1')).rows.map(({ key }) => key);
    expect(await left()).toEqual(['b', 'b', 'c', 'c']);
    await recordings.maintain({ ...LARGE, bytes: calls('c').calls.length });
    expect(await left()).toEqual(['c', 'c']);
  });

  test('the writer takes the same share of the keys of every function, and ever fewer beyond the quota', async () => {
    await context.sql.query('truncate autoflow.recorded_calls, autoflow.recorded_inputs');
    const keys = Array.from({ length: 2_000 }, (_, i) => `key-${i}`);
    const writer = createRecordingWriter({ store: context.store.recordings, share: 0.05, flushMs: NEVER });
    for (const key of keys) {
      writer.input(input(key));
      writer.calls(calls(key));
    }
    await writer.close();
    const both = await context.sql.query(`select key from autoflow.recorded_inputs intersect select key from autoflow.recorded_calls`);
    expect(both.rowCount).toBe(await count('recorded_inputs'));
    expect(both.rowCount).toBeGreaterThan(60);
    expect(both.rowCount).toBeLessThan(140);

    await context.sql.query('truncate autoflow.recorded_calls');
    const strict = createRecordingWriter({ store: context.store.recordings, share: 1, perMinute: 50, flushMs: NEVER });
    for (const key of keys) strict.calls(calls(key));
    await strict.close();
    expect(await count('recorded_calls')).toBe(50);
  });

  test('the writer gives up what is too large, and what the database is away for too long to take', async () => {
    await context.sql.query('truncate autoflow.recorded_calls');
    const away = new StoreUnavailableError('db:5432/x', 'ECONNREFUSED');
    const logs: object[] = [];
    const store = { writeInputs: () => Promise.reject(away), writeCalls: () => Promise.reject(away) };
    const writer = createRecordingWriter({ store, share: 1, flushMs: NEVER, log: (_, __, details) => logs.push(details!) });
    writer.input(input('large', { record: { id: 'x'.repeat(300_000) } }));
    writer.calls(calls('a'));
    await expect(writer.flush()).rejects.toBe(away);
    await writer.close();
    expect(logs).toEqual([{ rows: 1, why: away.message }]);
  });
});
