/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineExpand, defineFilter, definePipeline, defineReduce, join, TerminalError } from '../index.js';
import { death, M, N, on, options, single, state, states } from '../testing/single-function.js';
import { runNodes } from './index.js';

describe('what a handler may answer', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['nothing', undefined, 'WRONG_ANSWER', /'f' answered undefined; answer an object with the fields 'm'/],
    ['null', null, 'WRONG_ANSWER', /answered null/],
    ['a list', [1], 'WRONG_ANSWER', /answered a list/],
    ['a text', 'x', 'WRONG_ANSWER', /answered a text/],
    ['not all fields', {}, 'WRONG_ANSWER', /answered without 'm'/],
    ['an undefined field', { m: undefined }, 'WRONG_ANSWER', /answered without 'm'/],
    ['a field too many', { m: 1, extra: 2 }, 'UNDECLARED_FIELD', /answered 'extra', which it does not declare/],
    ['a wrong type', { m: 'one' }, 'WRONG_ANSWER', /do not fit its writes: m: Invalid input: expected number/],
    ['NaN', { m: NaN }, 'WRONG_ANSWER', /JSON cannot carry: field 'm' is NaN/],
    ['a date', { m: new Date(0) }, 'WRONG_ANSWER', /field 'm' is a Date/],
    ['a map inside', { m: { a: [new Map()] } }, 'WRONG_ANSWER', /field 'm'.a\[0\] is a Map/],
    ['a bigint', { m: 1n }, 'WRONG_ANSWER', /field 'm' is a bigint/],
    ['a function', { m: () => 1 }, 'WRONG_ANSWER', /field 'm' is a function/],
    ['a hole in a list', { m: [undefined] }, 'WRONG_ANSWER', /field 'm'\[0\] is undefined/],
  ])('%s: dead at once', async (_, answer, code, message) => {
    expect(await death({ handle: () => answer })).toEqual({ in: 'f', code, message: expect.stringMatching(message) });
    expect(await death({ handle: async () => answer })).toMatchObject({ code });
  });

  test('a circle', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(await death({ handle: () => ({ m: circle }) })).toMatchObject({
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(/circular or nested too deeply/),
    });
  });

  test('nested deeper than 500 levels, which JSON.stringify may refuse later: that record alone', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : depth % 2 ? [nested(depth - 1)] : { a: nested(depth - 1) });
    const handle = ({ n }: { n: number }): unknown => ({ m: nested(n === 0 ? 501 : 500) });
    const { done } = await runNodes(single({ handle }), ['f'], states(2), options({ strict: false }));
    expect(done.map((record) => record.death?.code)).toEqual(['WRONG_ANSWER', undefined]);
    expect(done[0]?.death?.message).toMatch(/nested too deeply \(more than 500 levels\): field 'm'/);
  });

  test('not strict: undeclared fields are left out, values are not checked', async () => {
    const { done } = await runNodes(single({ handle: () => ({ m: 'one', extra: 2 }) }), ['f'], [state(0)], options({ strict: false }));
    expect(done[0]?.fields).toEqual({ ...state(0).fields, m: 'one' });
  });

  test('a copy is kept: what the handler holds can change without changing the record, and -0 is 0', async () => {
    const kept = { m: { zero: -0, left: undefined } };
    const pipeline = single({ writes: z.object({ m: z.object({ zero: z.number(), left: z.number().optional() }) }), handle: () => kept });
    const { done } = await runNodes(pipeline, ['f'], [state(0)], options());
    kept.m.zero = 7;
    expect(done[0]?.fields['m']).toStrictEqual({ zero: 0 });
    expect(Object.isFrozen(kept.m)).toBe(false);
  });

  test.each<[string, unknown, RegExp]>([
    ['no list', { m: 1 }, /'f' answered an object for a batch/],
    ['a promise of a short list', Promise.resolve([{ m: 1 }]), /'f' answered 1 of 2 records/],
    ['a long list', [{ m: 1 }, { m: 1 }, { m: 1 }], /'f' answered 3 of 2 records/],
  ])('handleBatch with %s: all records of the call are dead', async (_, answer, message) => {
    const { done } = await runNodes(single({ handle: undefined, handleBatch: () => answer }), ['f'], states(2), options());
    expect(done.map((record) => record.death)).toEqual(
      [0, 1].map(() => ({ in: 'f', code: 'WRONG_ANSWER', message: expect.stringMatching(message) })),
    );
  });

  test('handleBatch with an error in a place: that record alone', async () => {
    const handleBatch = () => [new TerminalError('A', 'a'), { m: 1 }, new Error('b'), { m: 'x' }];
    const { done, retry } = await runNodes(single({ handle: undefined, handleBatch }), ['f'], states(4), options());
    expect(done.map(({ index, death }) => [index, death?.code])).toEqual([
      [0, 'A'],
      [1, undefined],
      [3, 'WRONG_ANSWER'],
    ]);
    expect(retry.map(({ index, retry: again }) => [index, again?.code])).toEqual([[2, 'Error']]);
  });

  test.each<[unknown, RegExp]>([
    [false, /answered false; answer true, or the reason/],
    [undefined, /answered undefined/],
    [Promise.resolve(true), /answered a promise/],
  ])('a filter that answers %s', async (answer, message) => {
    const pipeline = definePipeline('p', on, (r) => defineFilter('f', { reads: N, keep: () => answer as true })(r));
    expect((await runNodes(pipeline, ['f'], [state(0)], options())).done[0]?.death).toEqual({
      in: 'f',
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(message),
    });
  });

  test.each<[unknown, RegExp]>([
    ['x', /the expand 'e' answered a text/],
    [[{ m: 1 }, { m: 'x' }], /do not fit its writes/],
    [[null], /'e' answered null/],
  ])('an expand that answers %s', async (answer, message) => {
    const expand = defineExpand('e', { reads: N, writes: M, children: () => answer as never });
    const count = defineReduce('c', { reads: M, into: 'c', zero: { n: 0 }, add: (s) => s, merge: (s) => s });
    const pipeline = definePipeline('p', on, (r) => join(r, count(expand(r))));
    expect((await runNodes(pipeline, ['e', 'c'], [state(0)], options())).done[0]?.death).toEqual({
      in: 'e',
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, (sum: any) => unknown, string, RegExp]>([
    ['nothing', () => undefined, 'WRONG_ANSWER', /the reduce 'c' added up to undefined/],
    ['a sum without a field', () => ({}), 'WRONG_ANSWER', /the reduce 'c' lost 'n' of its sum/],
    ['NaN', () => ({ n: NaN }), 'WRONG_ANSWER', /field 'c'.n is NaN/],
    ['the sum it was given, changed', (sum) => ((sum.n += 1), sum), 'TypeError', /read only property/],
  ])('a reduce that adds up to %s', async (_, add, code, message) => {
    const expand = defineExpand('e', { reads: N, writes: M, children: () => [{ m: 1 }] });
    const count = defineReduce('c', { reads: M, into: 'c', zero: { n: 0 }, add: add as never, merge: (s) => s });
    const pipeline = definePipeline('p', on, (r) => join(r, count(expand(r))));
    const { done } = await runNodes(pipeline, ['e', 'c'], [state(0)], options({ final: true }));
    expect(done[0]?.death).toEqual({ in: 'c', code, message: expect.stringMatching(message) });
  });
});
