import { beforeAll, describe, expect, test } from 'vitest';
import { recordDigest } from './record-digest.js';
import { by, completed, connect, inputsOf, keysOf, openingOf, registerPipeline, untilBlocked, useTestStore } from './testing/fixtures.js';

const recordOf = (key: string, more: object = {}) => {
  const record = { id: key, ...more };
  return { key, record, digest: recordDigest(record), bytes: JSON.stringify(record).length };
};

describe('inbox', () => {
  const context = useTestStore();
  beforeAll(() => registerPipeline(context.store, 'orders'));
  const accept = (scope: string, ...records: ReturnType<typeof recordOf>[]) =>
    context.store.inbox.accept({ pipeline: 'orders', scope, records });

  test('takes each key once, and tells the same record from another one', async () => {
    expect(await accept('once', recordOf('a'), recordOf('b'), recordOf('a'), recordOf('b', { n: 2 }))).toEqual([
      { state: 'accepted' },
      { state: 'accepted' },
      { state: 'known', as: 'waiting' },
      { state: 'conflict', as: 'waiting' },
    ]);
    expect(await accept('once', recordOf('b', { n: 2 }), recordOf('a'), recordOf('c'))).toEqual([
      { state: 'conflict', as: 'waiting' },
      { state: 'known', as: 'waiting' },
      { state: 'accepted' },
    ]);
    expect(await accept('elsewhere', recordOf('a'))).toEqual([{ state: 'accepted' }]);
    expect(await accept('elsewhere')).toEqual([]);
  });

  test('knows what has an outcome or runs, and takes it again only to replace it', async () => {
    const { ledger } = context.store;
    await ledger.open(openingOf('orders', 'done', ['a', 'b'], 'done'));
    await ledger.close({ batchId: 'done', outcomes: completed(['a', 'b']), inputs: inputsOf([]) });
    await ledger.open(openingOf('orders', 'under-way', ['c'], 'done'));
    await context.sql.query(`update autoflow.records set digest = '\\x00' where scope = 'done' and key = 'b'`);
    const again = { replace: true };
    expect(await accept('done', recordOf('a'), recordOf('b'), recordOf('c'))).toEqual([
      { state: 'known', as: 'completed' },
      { state: 'conflict', as: 'completed' },
      { state: 'known', as: 'running' },
    ]);
    expect(await accept('done', { ...recordOf('a'), ...again }, { ...recordOf('c'), ...again })).toEqual([
      { state: 'accepted' },
      { state: 'known', as: 'running' },
    ]);
    expect((await context.store.inbox.list({ pipeline: 'orders', scope: 'done', limit: 9 })).map(({ key }) => key)).toEqual(['a']);
  });

  test('of many who bring the same keys at once, each key is accepted from exactly one', async () => {
    const keys = keysOf(300);
    const answers = await Promise.all(
      [keys, keys.toReversed(), keys].map((list) => accept('at-once', ...list.map((key) => recordOf(key)))),
    );
    expect(answers.flat().filter(({ state }) => state === 'accepted')).toHaveLength(keys.length);
  });

  test('sees a record that is claimed at the same moment', async () => {
    await accept('claimed', recordOf('x'));
    const claim = await connect(context.stack.databaseUrl);
    await claim.query('begin');
    await claim.query(`delete from autoflow.inbox where scope = 'claimed'`);
    await claim.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at)
       values ('orders', 'claimed', 'x', 'running', 'b', 'v1', 'r1', now())`,
    );
    const accepting = accept('claimed', recordOf('x'));
    await untilBlocked(context.sql, 'insert into autoflow.inbox');
    await claim.query('commit');
    await claim.end();
    expect(await accepting).toEqual([{ state: 'known', as: 'running' }]);
    expect(await context.store.inbox.position('orders', 'x', 'claimed')).toBeUndefined();
  });

  test('tells how much waits, and how much of it is before a record', async () => {
    await context.sql.query('delete from autoflow.inbox');
    expect(await context.store.inbox.waiting('orders')).toEqual({ records: 0, bytes: 0 });
    await accept('live', recordOf('z'), recordOf('y'), recordOf('x'));
    expect(await context.store.inbox.waiting('orders')).toEqual({ records: 3, bytes: 30, oldestAt: expect.any(Date) });
    expect(await context.store.inbox.position('orders', 'x')).toMatchObject({ key: 'x', ahead: 2, feeds: 0, arrivedAt: expect.any(Date) });
    expect(await context.store.inbox.position('orders', 'z')).toMatchObject({ ahead: 0 });
    const page = await context.store.inbox.list({ pipeline: 'orders', limit: 2, after: 'live/x' });
    expect(page.map(({ key }) => key)).toEqual(['y', 'z']);
  });

  test('a record that waits can be taken back', async () => {
    await accept('taken-back', recordOf('a'));
    expect(await context.store.inbox.cancel('orders', 'a', by, 'taken-back')).toBe(true);
    expect(await context.store.inbox.cancel('orders', 'a', by, 'taken-back')).toBe(false);
    const row = { action: 'record.cancel', pipeline: 'orders', ...by, after: { scope: 'taken-back', key: 'a' } };
    expect(await context.store.access.audit({ action: 'record', limit: 9 })).toEqual([expect.objectContaining(row)]);
    expect(await context.store.ledger.record('orders', 'taken-back', 'a')).toMatchObject({ state: 'cancelled', version: 'v1' });
    expect(await accept('taken-back', recordOf('a'), recordOf('b'))).toEqual([{ state: 'known', as: 'cancelled' }, { state: 'accepted' }]);
  });

  test('wakes feeders once, and only when something was accepted', async () => {
    const heard: (string | undefined)[] = [];
    const stop = await context.store.listen('autoflow_inbox', (pipeline) => heard.push(pipeline));
    await accept('woken', recordOf('a'), recordOf('b'));
    await accept('woken', recordOf('a'));
    await new Promise<void>((resolve) => {
      void context.store.listen('autoflow_backfills', () => resolve()).then(() => context.sql.query('notify autoflow_backfills'));
    });
    expect(heard).toEqual(['orders']);
    await stop();
  });

  test('refuses what it cannot hold, whole', async () => {
    await expect(context.store.inbox.accept({ pipeline: 'nowhere', scope: 'live', records: [recordOf('a')] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(accept('refused', recordOf('fine'), recordOf('nul\0'))).rejects.toMatchObject({ code: 'INVALID_KEY', indexes: [1] });
    expect(await context.store.inbox.list({ pipeline: 'orders', scope: 'refused', limit: 9 })).toEqual([]);
    expect(await accept('refused', recordOf('nul inside', { text: '\0 and \ud800' }))).toEqual([{ state: 'accepted' }]);
  });
});
