import { beforeAll, describe, expect, test } from 'vitest';
import { StaleCursorError } from './errors.js';
import { recordDigest } from './record-digest.js';
import { by, completed, inputsOf, openingOf, registerPipeline, useTestStore } from './testing/fixtures.js';

describe('backfills.put', () => {
  const context = useTestStore();
  beforeAll(() => registerPipeline(context.store, 'orders'));
  const records = (keys: readonly string[]) =>
    keys.map((key) => ({ key, record: { id: key }, digest: recordDigest({ id: key }), bytes: 10 }));
  const create = (id: string, more: object = {}) =>
    context.store.backfills.create(
      { id, pipeline: 'orders', scope: id, source: { kind: 'jsonl', path: 'x.jsonl' }, concurrency: 2, ...more },
      by,
    );
  const put = (id: string, keys: readonly string[], from: number, cursor = from + keys.length) =>
    context.store.backfills.put({ id, from, cursor, records: records(keys) });
  const waiting = async (scope: string) => (await context.store.inbox.list({ pipeline: 'orders', scope, limit: 99 })).map(({ key }) => key);

  test('moves the cursor with the records; what came twice, waits or is done counts as settled', async () => {
    await create('f1');
    await context.store.ledger.open(openingOf('orders', 'before', ['done'], 'f1'));
    await context.store.ledger.close({ batchId: 'before', outcomes: completed(['done']), inputs: inputsOf([]) });
    expect(await put('f1', ['a', 'b', 'a', 'done'], 0)).toMatchObject({ cursor: 4, progress: { read: 4, settled: 2 } });
    expect(await put('f1', ['b', 'c'], 4, 9)).toMatchObject({ cursor: 9, progress: { read: 6, settled: 3 } });
    expect(await waiting('f1')).toEqual(['a', 'b', 'c']);
  });

  test('two never put the same stretch', async () => {
    await create('f2');
    const results = await Promise.allSettled([put('f2', ['a', 'b'], 0), put('f2', ['a', 'b'], 0)]);
    const [lost] = results.filter((result) => result.status === 'rejected');
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(lost?.reason).toBeInstanceOf(StaleCursorError);
    expect(await context.store.backfills.get('f2')).toMatchObject({ cursor: 2, progress: { read: 2 } });
  });

  test('one that is paused, ended or missing takes nothing', async () => {
    await create('f3');
    await context.store.backfills.setState('f3', 'paused', by);
    await expect(put('f3', ['a'], 0)).rejects.toMatchObject({ code: 'NOT_RUNNING', state: 'paused' });
    await expect(put('f9', ['a'], 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await waiting('f3')).toEqual([]);
  });

  test('leaves out what live knows, when it is told to', async () => {
    await context.store.ledger.open(openingOf('orders', 'lived', ['x', 'y'], 'live'));
    await context.store.ledger.close({ batchId: 'lived', outcomes: completed(['x', 'y']), inputs: inputsOf([]) });
    await create('f4', { skipKnown: true });
    expect(await put('f4', ['x', 'z'], 0)).toMatchObject({ skipped: 1, progress: { read: 2, settled: 1 } });
    expect(await waiting('f4')).toEqual(['z']);
  });

  test('what waits of a cancelled one gets its outcome', async () => {
    await create('f5');
    await put('f5', ['a', 'b'], 0);
    await context.store.backfills.setState('f5', 'cancelled', by);
    expect(await context.store.backfills.cancelWaiting('f5')).toBe(2);
    expect(await context.store.backfills.get('f5')).toMatchObject({ progress: { settled: 2, counts: { cancelled: 2 } } });
    expect(await context.store.ledger.record('orders', 'f5', 'a')).toMatchObject({ state: 'cancelled' });
    expect(await waiting('f5')).toEqual([]);
  });
});
