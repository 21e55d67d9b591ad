import { beforeAll, expect, test } from 'vitest';
import { by, inputsOf, openingOf, registerPipeline, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
const letters = () => context.store.deadLetters;
const dead = (keys: readonly string[], code: string, place = 'parse') =>
  keys.map((key) => ({ state: 'dead' as const, key, in: place, code, message: `${key} died of ${code}` }));

beforeAll(async () => {
  await registerPipeline(context.store, 'shop');
  const { ledger } = context.store;
  await ledger.open(openingOf('shop', 'b1', ['a', 'b', 'c', 'd']));
  const outcomes = [...dead(['a', 'b', 'c'], 'RATE_UNKNOWN'), ...dead(['d'], 'TIMEOUT', 'store')];
  await ledger.close({ batchId: 'b1', outcomes, inputs: inputsOf(['a', 'b', 'c', 'd']) });
});

const keys = async (filter: object = {}) => (await letters().list({ pipeline: 'shop', limit: 100, ...filter })).map(({ key }) => key);

test('letters are filtered, counted, grouped and paged', async () => {
  expect(await keys()).toEqual(['d', 'c', 'b', 'a']);
  expect(await keys({ code: 'RATE_UNKNOWN' })).toEqual(['c', 'b', 'a']);
  expect([await keys({ in: 'store' }), await keys({ version: 'v2' }), await keys({ release: 'r1', limit: 1 })]).toEqual([['d'], [], ['d']]);
  expect([await keys({ since: new Date(Date.now() + 60_000) }), await keys({ scope: 'other' })]).toEqual([[], []]);
  expect(await letters().count({ pipeline: 'shop', code: 'RATE_UNKNOWN' })).toBe(3);
  expect(await letters().groups({ pipeline: 'shop', limit: 10 })).toMatchObject([
    { code: 'RATE_UNKNOWN', in: 'parse', count: 3, message: 'c died of RATE_UNKNOWN' },
    { code: 'TIMEOUT', in: 'store', count: 1 },
  ]);
  const [first] = await letters().list({ pipeline: 'shop', limit: 1 });
  expect((await letters().list({ pipeline: 'shop', limit: 1, after: first!.id })).map(({ key }) => key)).toEqual(['c']);
});

test('a fate is given once, and the letter stays', async () => {
  const [d, c] = await letters().list({ pipeline: 'shop', limit: 2 });
  const settle = (ids: string[], fate: 'redriven' | 'discarded') => letters().settle({ pipeline: 'shop', ids, fate, by });
  const ended = await Promise.all([settle([c!.id], 'discarded'), settle([c!.id], 'discarded')]);
  expect(ended.flat()).toEqual([c!.id]);
  expect(await settle([d!.id, c!.id], 'redriven')).toEqual([d!.id]);
  expect(await keys()).toEqual(['b', 'a']);
  expect([await keys({ state: 'discarded' }), await keys({ state: 'redriven' }), await keys({ state: 'any' })]).toEqual([
    ['c'],
    ['d'],
    ['d', 'c', 'b', 'a'],
  ]);
  expect(await letters().get('shop', c!.id)).toMatchObject({
    state: 'discarded',
    fate: { at: expect.any(Date), actor: 'tester', reason: 'because' },
  });
  expect((await context.store.access.audit({ pipeline: 'shop', action: 'dead-letters', limit: 9 })).map(({ action }) => action)).toEqual([
    'dead-letters.redriven',
    'dead-letters.discarded',
  ]);
});

test('one whose record was run again is past, and in the history of its record', async () => {
  const { ledger } = context.store;
  await ledger.open({ ...openingOf('shop', 'b2', ['a']), replace: true });
  expect([await keys(), await keys({ state: 'past' })]).toEqual([['b'], ['a']]);
  await ledger.close({ batchId: 'b2', outcomes: dead(['a'], 'WORSE'), inputs: inputsOf(['a']) });
  expect((await letters().history('shop', 'live', 'a')).map(({ code, state }) => [code, state])).toEqual([
    ['RATE_UNKNOWN', 'past'],
    ['WORSE', 'open'],
  ]);
});

test('what is no id is not there', async () => {
  for (const id of ['', 'x', '1e3', '9'.repeat(30)]) expect(await letters().get('shop', id)).toBeUndefined();
});
