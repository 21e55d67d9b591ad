import type { Outcome } from '@autoflow/pipeline';
import { beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailableError } from './errors.js';
import { completed, connect, inputsOf, keysOf, openingOf, registerPipeline, untilBlocked, useTestStore } from './testing/fixtures.js';

const none = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
const ofEach: readonly Outcome[] = [
  { state: 'completed', key: 'a', output: { text: 'nul \u0000 and half \ud800', n: 1e-7, nested: [{ b: 1, a: null }] } },
  { state: 'filtered', key: 'b', by: 'is-sale', reason: 'cancelled' },
  { state: 'dead', key: 'c', in: 'parse', code: 'BAD', message: 'nul \0 in it' },
  { state: 'cancelled', key: 'd' },
];

describe('ledger.close', () => {
  const context = useTestStore();
  const ledger = () => context.store.ledger;
  beforeAll(() => registerPipeline(context.store, 'orders'));
  const open = (id: string, keys: readonly string[], scope = id) => ledger().open(openingOf('orders', id, keys, scope));
  const close = (batchId: string, outcomes: readonly Outcome[]) =>
    ledger().close({ batchId, outcomes, inputs: inputsOf(outcomes.map(({ key }) => key)) });

  test('gives every record its outcome and closes the batch', async () => {
    await open('each', ['a', 'b', 'c', 'd']);
    const counts = { completed: 1, filtered: 1, dead: 1, cancelled: 1 };
    expect(await close('each', ofEach)).toEqual(counts);
    expect(await ledger().batch('each')).toMatchObject({ state: 'closed', counts, closedAt: expect.any(Date) });
    const rows = await ledger().records({ pipeline: 'orders', scope: 'each', limit: 9 });
    expect(rows.map(({ key, state }) => [key, state])).toEqual([
      ['a', 'completed'],
      ['b', 'filtered'],
      ['c', 'dead'],
      ['d', 'cancelled'],
    ]);
    expect(rows[0]).toMatchObject({ output: (ofEach[0] as { output: object }).output, endedAt: expect.any(Date) });
    expect(rows[1]).toMatchObject({ filtered: { by: 'is-sale', reason: 'cancelled' } });
    expect(rows[2]).toMatchObject({ death: { in: 'parse', code: 'BAD', message: 'nul \u{fffd} in it' } });
  });

  test('a dead record leaves a letter with its input', async () => {
    await open('letters', ['a', 'b', 'c', 'd', 'e']);
    await close('letters', [...ofEach, { state: 'dead', key: 'e', in: 'store', code: 'WORSE', message: 'm' }]);
    const letters = await ledger().deadLetters({ pipeline: 'orders', scope: 'letters', limit: 9 });
    expect(letters.map(({ key, code }) => [key, code])).toEqual([
      ['e', 'WORSE'],
      ['c', 'BAD'],
    ]);
    expect(letters[1]).toMatchObject({ in: 'parse', version: 'v1', release: 'r1', record: { id: 'c' }, diedAt: expect.any(Date) });
    expect(await ledger().deadLetters({ pipeline: 'orders', scope: 'letters', code: 'BAD', limit: 9 })).toEqual([letters[1]]);
    expect(await ledger().deadLetters({ pipeline: 'orders', scope: 'letters', limit: 9, after: letters[0]!.id })).toEqual([letters[1]]);
    expect(await ledger().deadLetter('orders', letters[1]!.id)).toEqual(letters[1]);
    for (const id of ['999999', 'x', '', '9'.repeat(40)]) expect(await ledger().deadLetter('orders', id)).toBeUndefined();
    expect(await ledger().deadLetter('elsewhere', letters[1]!.id)).toBeUndefined();
  });

  test('again, and by many at once, it answers the counts there are and changes nothing', async () => {
    await open('again', ['a', 'b', 'c', 'd']);
    const all = await Promise.all(Array.from({ length: 4 }, () => close('again', ofEach)));
    for (const counts of all) expect(counts).toEqual({ completed: 1, filtered: 1, dead: 1, cancelled: 1 });
    expect(await close('again', completed(['b']))).toEqual(all[0]);
    expect(await ledger().record('orders', 'again', 'b')).toMatchObject({ state: 'filtered' });
    expect(await ledger().deadLetters({ pipeline: 'orders', scope: 'again', limit: 9 })).toHaveLength(1);
  });

  test('outcomes of records that were not admitted are not theirs', async () => {
    await open('mine', ['a'], 'shared');
    await open('yours', ['a', 'b'], 'shared');
    expect(await close('yours', [{ state: 'cancelled', key: 'a' }, ...completed(['b'])])).toEqual({ ...none, completed: 1 });
    expect(await ledger().record('orders', 'shared', 'a')).toMatchObject({ state: 'running', batchId: 'mine' });
    expect(await close('mine', completed(['a']))).toEqual({ ...none, completed: 1 });
  });

  test('a record without an outcome dies visibly instead of running for ever', async () => {
    await open('forgotten', ['a', 'b']);
    expect(await close('forgotten', completed(['a']))).toEqual({ ...none, completed: 1, dead: 1 });
    expect(await ledger().record('orders', 'forgotten', 'b')).toMatchObject({ state: 'dead', death: { code: 'OUTCOME_MISSING' } });
  });

  test('of two outcomes for one key the first counts', async () => {
    await open('twice', ['a']);
    expect(await close('twice', [...completed(['a']), { state: 'cancelled', key: 'a' }])).toEqual({ ...none, completed: 1 });
  });

  test('a batch that is not there is said to be missing', async () => {
    await expect(close('nowhere', [])).rejects.toMatchObject({ code: 'NOT_FOUND', details: { kind: 'batch' } });
    await expect(ledger().requireMemory('nowhere', 'parse', 256)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('thousands of records and outcomes beyond the size of one statement', async () => {
    const keys = keysOf(1500);
    await open('large', keys);
    const outcomes = keys.map((key): Outcome => ({ state: 'completed', key, output: { pad: 'x'.repeat(8192) } }));
    expect(await close('large', outcomes)).toEqual({ ...none, completed: 1500 });
    const second = await ledger().records({ pipeline: 'orders', scope: 'large', state: 'completed', limit: 2, after: 'k1' });
    expect(second.map(({ key }) => key)).toEqual(['k10', 'k100']);
  });

  test('records are listed in pages, within a scope and across scopes', async () => {
    await open('pages/1', ['a', 'x/y', 'b'], 'pages-1');
    await open('pages/2', ['c'], 'pages-2');
    const page = async (filter: { scope?: string; after?: string }) =>
      (await ledger().records({ pipeline: 'orders', limit: 2, state: 'running', ...filter })).map(({ scope, key }) => `${scope}/${key}`);
    expect(await page({ scope: 'pages-1' })).toEqual(['pages-1/a', 'pages-1/b']);
    expect(await page({ scope: 'pages-1', after: 'b' })).toEqual(['pages-1/x/y']);
    expect(await page({ after: 'pages-1/b' })).toEqual(['pages-1/x/y', 'pages-2/c']);
    expect(await page({ after: 'pages-1/x/y' })).toEqual(['pages-2/c']);
  });

  test('killed in mid-transaction it leaves the batch open, and can be repeated', async () => {
    await open('killed', keysOf(10));
    const blocker = await connect(context.stack.databaseUrl);
    await blocker.query('begin');
    await blocker.query(`select from autoflow.records where scope = 'killed' and key = 'k5' for update`);
    const failed = expect(close('killed', completed(keysOf(10)))).rejects.toThrow(StoreUnavailableError);
    await context.sql.query('select pg_terminate_backend($1)', [await untilBlocked(context.sql, 'update autoflow.records')]);
    await failed;
    await blocker.query('rollback');
    await blocker.end();
    expect(await ledger().batch('killed')).toMatchObject({ state: 'open' });
    expect(await ledger().records({ pipeline: 'orders', scope: 'killed', state: 'running', limit: 99 })).toHaveLength(10);
    expect(await close('killed', completed(keysOf(10)))).toEqual({ ...none, completed: 10 });
  });

  describe('outcomeDigest', () => {
    const run = async (scope: string, batches: readonly (readonly string[])[], outcomeOf: (key: string) => Outcome) => {
      for (const [i, keys] of batches.entries()) {
        await open(`${scope}/${i}`, keys, scope);
        await close(`${scope}/${i}`, keys.map(outcomeOf));
      }
      return ledger().outcomeDigest('orders', scope);
    };
    const keys = [...keysOf(1200), 'ä', 'Z', '💶', '\u{ffee}'];
    const outcomeOf = (key: string): Outcome =>
      key === 'k7'
        ? { state: 'filtered', key, by: 'f', reason: 'no' }
        : { state: 'completed', key, output: { key, nested: { a: 1, b: [2] } } };

    test('is equal for equal outcomes, whatever the batches, the order, or the order of properties', async () => {
      const one = await run('d1', [keys], outcomeOf);
      const reordered = (key: string): Outcome =>
        key === 'k8' ? { state: 'completed', key, output: { nested: { b: [2], a: 1 }, key } } : outcomeOf(key);
      const many = await run('d2', [keys.slice(0, 7), keys.slice(7, 900).toReversed(), keys.slice(900)], reordered);
      expect(one).toEqual({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), counts: { ...none, completed: 1203, filtered: 1 } });
      expect(many).toEqual(one);
    });

    test('differs when one record differs in state, reason or output', async () => {
      const variants: Outcome[] = [
        { state: 'completed', key: 'k1', output: { n: 1 } },
        { state: 'completed', key: 'k1', output: { n: 2 } },
        { state: 'filtered', key: 'k1', by: 'f', reason: 'no' },
        { state: 'filtered', key: 'k1', by: 'f', reason: 'none' },
        { state: 'dead', key: 'k1', in: 'f', code: 'no', message: '' },
      ];
      const digests = await Promise.all(
        variants.map(async (variant, i) => (await run(`v${i}`, [['k1', 'k2']], (key) => (key === 'k1' ? variant : outcomeOf(key)))).digest),
      );
      expect(new Set(digests).size).toBe(variants.length);
    });
  });
});
