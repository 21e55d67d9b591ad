/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineExpand,
  defineFilter,
  defineFunction,
  definePipeline,
  defineReduce,
  join,
  specOf,
  TerminalError,
  type RecordState,
} from '../index.js';
import { condemn, mergeStates, runNodes, type RunOptions } from './index.js';

const In = z.object({ id: z.string() });
const on = { input: In, key: 'id', output: In } as const;
const options: RunOptions = {
  resource: () => Promise.reject(new Error('none')),
  idempotencyScope: 'p/live',
  final: false,
  strict: true,
  signal: new AbortController().signal,
  log: () => {},
  progress: () => {},
  clock: { now: () => 0, cpu: () => 0 },
};
const state: RecordState = { index: 0, key: 'k', arrivedAt: 'now', fields: { id: 'k' } };

let asked: string[] = [];
/** Adds a field named like itself; fails when told to. */
function step(
  name: string,
  reads: string[],
  fail?: 'for good' | 'for now',
  effect: 'pure' | 'idempotent-write' = 'pure',
): (record: any) => any {
  const fields = (names: string[]) => z.object(Object.fromEntries(names.map((field) => [field, z.string()])));
  return defineFunction(name, {
    effect,
    reads: fields(reads),
    writes: fields([name]),
    handle: () => {
      asked.push(name);
      if (fail === 'for good') throw new TerminalError(`NO_${name.toUpperCase()}`, 'x');
      if (fail === 'for now') throw new Error('x');
      return { [name]: 'x' };
    },
  }) as never;
}
const filter = (name: string, reads: string[], answer: true | string): ((record: any) => any) =>
  defineFilter(name, {
    reads: z.object(Object.fromEntries(reads.map((field) => [field, z.string()]))),
    keep: () => (asked.push(name), answer),
  }) as never;

async function run(
  wire: (record: any) => any,
  record: RecordState = state,
): Promise<Pick<RecordState, 'filtered' | 'death' | 'failed' | 'retry'> & { asked: string }> {
  asked = [];
  const pipeline = definePipeline('p', on, wire);
  const { done, retry } = await runNodes(
    pipeline,
    specOf(pipeline).nodes.map(({ id }) => id),
    [record],
    options,
  );
  const { index: _1, key: _2, arrivedAt: _3, fields: _4, children: _5, ...rest } = (done[0] ?? retry[0]) as RecordState;
  return { ...rest, asked: asked.join(' ') };
}

test('a dying record goes on to the filters that it can reach, and a filter beats its death', async () => {
  expect(await run((r) => filter('drop', ['id'], 'not wanted')(step('b', ['id'])(step('a', ['id'], 'for good')(r))))).toEqual({
    filtered: { by: 'drop', reason: 'not wanted' },
    asked: 'a drop',
  });
  expect(await run((r) => filter('keep', ['id'], true)(step('b', ['id'])(step('a', ['id'], 'for good')(r))))).toEqual({
    death: { in: 'a', code: 'NO_A', message: 'x' },
    failed: ['a'],
    asked: 'a keep',
  });
});

test('it runs what a filter needs, and nothing else: no other function, no write', async () => {
  const got = await run((r) =>
    step(
      'store',
      ['id'],
      undefined,
      'idempotent-write',
    )(filter('drop', ['c'], 'no')(step('c', ['b'])(step('other', ['id'])(step('b', ['id'])(step('a', ['id'], 'for good')(r)))))),
  );
  expect(got).toMatchObject({ filtered: { by: 'drop' }, asked: 'a b c drop' });
  const kept = await run((r) =>
    step('store', ['id'], undefined, 'idempotent-write')(filter('keep', ['id'], true)(step('a', ['id'], 'for good')(r))),
  );
  expect(kept).toMatchObject({ death: { in: 'a' }, asked: 'a keep' });
});

test('what depends on the failed function, however indirectly, is not asked; an earlier filter out of reach does not stop a later one', async () => {
  const got = await run((r) =>
    filter('second', ['id'], 'no')(filter('first', ['b'], 'never')(step('b', ['a'])(step('a', ['id'], 'for good')(r)))),
  );
  expect(got).toMatchObject({ filtered: { by: 'second', reason: 'no' }, asked: 'a second' });
});

test('a second failure does not change its death, and puts what depends on it out of reach too', async () => {
  const got = await run((r) =>
    filter(
      'last',
      ['c'],
      'no',
    )(filter('first', ['b'], 'no')(step('c', ['id'])(step('b', ['id'], 'for good')(step('a', ['id'], 'for good')(r))))),
  );
  expect(got).toMatchObject({ filtered: { by: 'last' }, asked: 'a b c last' });
  const dead = await run((r) => filter('first', ['b'], 'no')(step('b', ['id'], 'for good')(step('a', ['id'], 'for good')(r))));
  expect(dead).toEqual({ death: { in: 'a', code: 'NO_A', message: 'x' }, failed: ['a', 'b'], asked: 'a b' });
});

test('a dying record is tried again like any other, and stays dying of its first death', async () => {
  const wire = (r: any) => filter('drop', ['b'], 'no')(step('b', ['id'], 'for now')(step('a', ['id'], 'for good')(r)));
  const death = { in: 'a', code: 'NO_A', message: 'x' };
  const again = (attempts: number) => ({ at: 'b', attempts, code: 'Error', message: 'x' });
  const { asked: _, ...once } = await run(wire);
  expect(once).toEqual({ death, failed: ['a'], retry: again(1) });

  const twice = await run(wire, { ...state, ...once });
  expect(twice).toEqual({ death, failed: ['a'], retry: again(2), asked: 'b' });
  const last = await run(wire, { ...state, ...once, retry: again(4) });
  expect(last).toEqual({ death, failed: ['a', 'b'], asked: 'b' });

  const healed = (r: any) => filter('drop', ['b'], 'no')(step('b', ['id'])(step('a', ['id'], 'for good')(r)));
  expect(await run(healed, { ...state, ...once })).toEqual({ filtered: { by: 'drop', reason: 'no' }, asked: 'b drop' });
});

test('children whose filter or function failed are not folded for a filter', async () => {
  const expand = defineExpand('e', { reads: In, writes: z.object({ n: z.string() }), children: ({ id }) => [{ n: id }] });
  const childFilter = defineFilter('small', {
    reads: z.object({ n: z.string() }),
    keep: () => {
      throw new TerminalError('BROKEN', 'x');
    },
  });
  const count = defineReduce('count', {
    reads: z.object({}),
    into: 'count',
    zero: { n: 0 },
    add: ({ n }) => (asked.push('count'), { n: n + 1 }),
    merge: (a, b) => ({ n: a.n + b.n }),
  });
  const big = defineFilter('big', { reads: z.object({ count: z.object({ n: z.number() }) }), keep: () => (asked.push('big'), 'no') });
  expect(await run((r) => big(join(r, count(childFilter(expand(r))))))).toEqual({
    death: { in: 'small', code: 'BROKEN', message: 'x' },
    failed: ['small'],
    asked: '',
  });
});

test('condemned: filters that depend on nothing of the invocation are asked, others not', async () => {
  const wire = (r: any) => filter('late', ['b'], 'no')(step('b', ['id'])(filter('early', ['a'], 'no')(step('a', ['id'])(r))));
  const death = { in: 'a+x', code: 'INSTANCE_DIED', message: 'x' };
  expect(await run(wire, condemn([state], death, ['a'])[0])).toMatchObject({ filtered: { by: 'late' }, asked: 'b late' });
  expect(await run(wire, condemn([state], death, ['a', 'b'])[0])).toEqual({ death, failed: ['a', 'b'], asked: '' });
  const filtered = { ...state, filtered: { by: 'x', reason: 'y' } };
  const dying = { ...state, death: { in: 'z', code: 'Z', message: 'z' }, failed: ['z'] };
  const waiting = { ...state, retry: { at: 'a', attempts: 1, code: 'E', message: 'e' } };
  expect(condemn([filtered, dying, waiting], death, ['a'])).toEqual([
    filtered,
    { ...dying, failed: ['z', 'a'] },
    { ...state, death, failed: ['a'] },
  ]);
});

test('a death from nobody knows where reaches no filter', async () => {
  expect(
    await run((r) => filter('drop', ['id'], 'no')(r), { ...state, death: { in: 'some stage', code: 'X', message: 'x' } }),
  ).toMatchObject({ death: { code: 'X' }, asked: '' });
});

test('merging: by index, united, filtered beats dead, the first as written counts, in whatever order the lists come', () => {
  const spec = { nodes: ['a', 'b', 'f'].map((id) => ({ id })) } as never;
  const branch = (more: Partial<RecordState>): RecordState => ({ ...state, ...more });
  const child = (n: number, droppedBy?: string[]) => ({ fields: { c: 0, [`n${n}`]: n }, ...(droppedBy ? { droppedBy } : {}) });
  const one = branch({
    fields: { id: 'k', a: 1 },
    children: { e: [child(1), child(1, ['x'])], only: [] },
    death: { in: 'b', code: 'B', message: '' },
    failed: ['b'],
  });
  const two = branch({
    fields: { id: 'k', b: 2 },
    children: { e: [child(2, ['y']), child(2, ['x'])] },
    death: { in: 'a', code: 'A', message: '' },
    failed: ['a'],
  });
  const merged = {
    ...state,
    fields: { id: 'k', a: 1, b: 2 },
    children: {
      e: [
        { fields: { c: 0, n1: 1, n2: 2 }, droppedBy: ['y'] },
        { fields: { c: 0, n1: 1, n2: 2 }, droppedBy: ['x'] },
      ],
      only: [],
    },
    death: { in: 'a', code: 'A', message: '' },
    failed: ['a', 'b'],
  };
  expect(mergeStates([[one], [two]], spec)).toEqual([merged]);
  expect(mergeStates([[two], [one]], spec)).toEqual([merged]);
  const gone = branch({ filtered: { by: 'f', reason: 'no' } });
  expect(mergeStates([[one], [gone], [two]], spec)[0]).toMatchObject({ filtered: { by: 'f' } });
  expect(mergeStates([[one], [gone], [two]], spec)[0]?.death).toBeUndefined();
  const at = (index: number) => ({ ...state, index });
  expect(
    mergeStates(
      [
        [at(3), at(1)],
        [at(0), at(2)],
      ],
      spec,
    ).map(({ index }) => index),
  ).toEqual([0, 1, 2, 3]);
});
