/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  defineExpand,
  defineFilter,
  defineFunction,
  definePipeline,
  defineReduce,
  defineResource,
  join,
  specOf,
  TerminalError,
  type Fields,
  type RecordState,
} from '../index.js';
import { Memo, outcomeOf, runNodes, type RunOptions } from './index.js';

const In = z.object({ id: z.string(), n: z.number().default(0), deep: z.object({ list: z.array(z.number()) }).default({ list: [1, 2] }) });
const on = { input: In, key: 'id', output: z.object({ id: z.string() }) } as const;
const N = In.pick({ n: true });
const M = z.object({ m: z.number() });

const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  resource: () => Promise.reject(new Error('no resource here')),
  idempotencyScope: 'p/live',
  final: false,
  strict: true,
  signal: new AbortController().signal,
  log: () => {},
  progress: () => {},
  clock: { now: () => 0, cpu: () => 0 },
  ...more,
});
const state = (index: number, fields: Fields = {}): RecordState => ({
  index,
  key: `k${index}`,
  arrivedAt: `2026-01-0${index + 1}T00:00:00.000Z`,
  fields: { id: `k${index}`, n: index, deep: { list: [1, 2] }, ...fields },
});
const states = (count: number) => Array.from({ length: count }, (_, i) => state(i));
/** A pipeline of one function `f` that adds m. */
const single = (spec: object) =>
  definePipeline(
    'p',
    on,
    (r) =>
      defineFunction('f', { effect: 'pure', reads: N, writes: M, handle: ({ n }: { n: number }) => ({ m: n }), ...spec } as never)(
        r as never,
      ) as never,
  );
const death = async (spec: object, more: Partial<RunOptions> = {}) =>
  (await runNodes(single(spec), ['f'], [state(0)], options(more))).done[0]?.death;
const reads = (handle: (record: any, context: any) => unknown) => single({ handle });

describe('what a handler is given', () => {
  test('only its declared fields, frozen to their depth', async () => {
    const seen = vi.fn(() => ({ m: 1 }));
    const pipeline = single({ reads: In.pick({ n: true, deep: true }), handle: seen });
    await runNodes(pipeline, ['f'], [state(3, { secret: 'x' })], options());
    const [record] = seen.mock.calls[0] as unknown as [{ deep: { list: number[] } }];
    expect(record).toEqual({ n: 3, deep: { list: [1, 2] } });
    expect([record, record.deep, record.deep.list].every(Object.isFrozen)).toBe(true);
  });

  test('handle: arrival as now, one key when it writes; handleBatch: nows and keys by position', async () => {
    const one = vi.fn((_: unknown, { now, keys, log, signal }: any) => ({ m: [now, keys, typeof log, signal.aborted].length }));
    await runNodes(single({ effect: 'write', handle: one }), ['f'], states(2), options());
    expect(one.mock.calls.map(([, { now, keys }]) => [now, keys])).toEqual([
      ['2026-01-01T00:00:00.000Z', ['p/live/k0/f']],
      ['2026-01-02T00:00:00.000Z', ['p/live/k1/f']],
    ]);
    const all = vi.fn((records: unknown[], _: any) => records.map(() => ({ m: 0 })));
    await runNodes(single({ effect: 'idempotent-write', handle: undefined, handleBatch: all }), ['f'], states(2), options());
    const [records, { nows, keys, now }] = all.mock.calls[0] as [unknown[], any];
    expect(records).toEqual([{ n: 0 }, { n: 1 }]);
    expect(nows).toEqual(['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']);
    expect(keys).toEqual(['p/live/k0/f', 'p/live/k1/f']);
    expect(now).toBeUndefined();
  });

  test('a pure function gets neither keys nor resources', async () => {
    const contexts: object[] = [];
    await runNodes(
      reads((_, context) => (contexts.push(Object.keys(context)), { m: 1 })),
      ['f'],
      [state(0)],
      options(),
    );
    expect(contexts).toEqual([['signal', 'log', 'now']]);
  });

  test('resources by the name it uses them under; one that does not open is tried again', async () => {
    const db = defineResource({ name: 'database', open: () => ({ add: (n: number) => n + 1 }) });
    const pipeline = single({ effect: 'read', uses: { db }, handle: ({ n }: { n: number }, { db }: any) => ({ m: db.add(n) }) });
    const opened = await runNodes(
      pipeline,
      ['f'],
      [state(1)],
      options({ resource: async (name) => ({ add: (n: number) => `${name} ${n}`.length }) }),
    );
    expect(opened.done[0]?.fields['m']).toBe(10);
    const closed = await runNodes(
      pipeline,
      ['f'],
      [state(1)],
      options({ resource: () => Promise.reject(Object.assign(new Error('postgres://me:pw@db/x refused'), { code: 'ECONNREFUSED' })) }),
    );
    expect(closed.retry[0]?.retry).toEqual({ at: 'f', attempts: 1, code: 'ECONNREFUSED', message: 'postgres://…@db/x refused' });
  });

  test('its log lines say which node and record they are of', async () => {
    const log = vi.fn();
    await runNodes(
      reads((_, context) => (context.log('hm', { a: 1 }), { m: 1 })),
      ['f'],
      [state(0)],
      options({ log }),
    );
    expect(log).toHaveBeenCalledWith({ node: 'f', key: 'k0', message: 'hm', details: { a: 1 } });
  });
});

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

describe('what a handler may throw', () => {
  const throws = (thrown: unknown) => ({
    handle: () => {
      throw thrown;
    },
  });
  test('a terminal error: dead at once, whichever copy of the package it is from', async () => {
    expect(await death(throws(new TerminalError('BAD', 'is bad')))).toEqual({ in: 'f', code: 'BAD', message: 'is bad' });
    expect(
      await death(throws(Object.assign(new Error('is bad'), { code: 'BAD', [Symbol.for('autoflow.TerminalError')]: true }))),
    ).toMatchObject({ code: 'BAD' });
  });

  test('anything else: tried again until the attempts are used up, then dead with its code', async () => {
    const pipeline = single({ ...throws(new RangeError('out')), retry: { maximumAttempts: 3 } });
    let records: readonly RecordState[] = [state(0)];
    const seen = [];
    for (let i = 0; i < 3; i++) {
      const { done, retry } = await runNodes(pipeline, ['f'], records, options());
      seen.push([retry[0]?.retry?.attempts, done[0]?.death]);
      records = retry;
    }
    expect(seen).toEqual([
      [1, undefined],
      [2, undefined],
      [undefined, { in: 'f', code: 'RangeError', message: 'out' }],
    ]);
  });

  test('at the final dispatch, and in a plain write, nothing is tried again', async () => {
    expect(await death(throws(new Error('x')), { final: true })).toMatchObject({ code: 'Error' });
    expect(await death({ ...throws(new Error('x')), effect: 'write' })).toMatchObject({ code: 'Error' });
  });

  test.each<[string, unknown, string, string]>([
    ['a text', 'oh', 'ERROR', 'oh was thrown, which is no Error'],
    ['nothing', undefined, 'ERROR', 'undefined was thrown, which is no Error'],
    [
      'an error with a cause',
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
      'TypeError',
      'fetch failed: connect ECONNREFUSED',
    ],
    ['credentials', new Error('cannot reach https://user:pass@host/x'), 'Error', 'cannot reach https://…@host/x'],
  ])('%s', async (_, thrown, code, message) => {
    expect(await death(throws(thrown), { final: true })).toEqual({ in: 'f', code, message });
  });

  test('handleBatch that throws: every record of the call is tried again, in its own time', async () => {
    const { done, retry, spans } = await runNodes(
      single({
        handle: undefined,
        handleBatch: async () => {
          throw new Error('down');
        },
      }),
      ['f'],
      states(3),
      options(),
    );
    expect(done).toEqual([]);
    expect(retry.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(spans).toEqual([{ node: 'f', recordsIn: 3, recordsOut: 0, filtered: 0, dead: 0, retried: 3, wallMs: 0, cpuMs: 0 }]);
  });

  test('a bad record stops no other', async () => {
    const { done, retry } = await runNodes(
      reads(({ n }) => {
        if (n === 1) throw new Error('1');
        if (n === 2) throw new TerminalError('TWO', '2');
        return { m: n };
      }),
      ['f'],
      states(4),
      options(),
    );
    expect(done.map(({ index, death: d, fields }) => [index, d?.code ?? fields['m']])).toEqual([
      [0, 0],
      [2, 'TWO'],
      [3, 3],
    ]);
    expect(retry.map(({ index }) => index)).toEqual([1]);
  });
});

describe('time', () => {
  test('an asynchronous handler beyond its timeout is tried again, and hears of it', async () => {
    let reason: unknown;
    const pipeline = single({
      timeoutMs: 5,
      handle: (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise(() => signal.addEventListener('abort', () => (reason = signal.reason))),
    });
    const { retry } = await runNodes(pipeline, ['f'], [state(0)], options());
    expect(retry[0]?.retry).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/'f' took longer than 5 ms; raise its timeoutMs/),
    });
    expect(reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('cancellation ends the run with its reason, whether or not the handler listens', async () => {
    const controller = new AbortController();
    const run = runNodes(
      reads(() => {
        queueMicrotask(() => controller.abort(new Error('cancelled')));
        return new Promise(() => {});
      }),
      ['f'],
      states(2),
      options({ signal: controller.signal }),
    );
    await expect(run).rejects.toThrow('cancelled');
  });

  test('records come one at a time, in order', async () => {
    const events: string[] = [];
    const handle = async ({ n }: { n: number }) => {
      events.push(`begin ${n}`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`end ${n}`);
      return { m: n };
    };
    await runNodes(single({ handle }), ['f'], states(3), options());
    expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('progress is told when a function starts and, between records, at most every 250 ms', async () => {
    let now = 0;
    const progress = vi.fn();
    await runNodes(
      reads(({ n }) => ((now += 100), { m: n })),
      ['f'],
      states(8),
      options({ progress, clock: { now: () => now, cpu: () => now / 2 } }),
    );
    expect(progress.mock.calls).toEqual([
      ['f', 30_000],
      ['f', 30_000],
      ['f', 30_000],
    ]);
  });

  test("the guard is around every handler, and what it throws is the handler's", async () => {
    const guarded: string[] = [];
    const guard = <T>(node: string, call: () => T): T => {
      guarded.push(node);
      const answer = call();
      if (guarded.length === 2) throw new TerminalError('FORBIDDEN', 'network');
      return answer;
    };
    const { done } = await runNodes(
      reads(({ n }) => ({ m: n })),
      ['f'],
      states(2),
      options({ guard }),
    );
    expect(guarded).toEqual(['f', 'f']);
    expect(done.map((record) => record.death?.code)).toEqual([undefined, 'FORBIDDEN']);
  });
});

describe('a fused stage', () => {
  test('a record is resumed at the function that failed; what ran before is not run again', async () => {
    const calls: string[] = [];
    let broken = true;
    const step = (name: string, from: string, to: string, failing = false) =>
      defineFunction(name, {
        effect: 'pure',
        reads: z.object({ [from]: z.number() }),
        writes: z.object({ [to]: z.number() }),
        retry: { maximumAttempts: 2 },
        handle: (r) => {
          calls.push(`${name} ${r[from]}`);
          if (failing && broken && r[from] === 1) throw new Error('x');
          return { [to]: r[from] as number };
        },
      }) as any;
    const pipeline = definePipeline('p', on, (r) => step('c', 'b', 'd')(step('b', 'a', 'b', true)(step('a', 'n', 'a')(r))));
    const first = await runNodes(pipeline, ['a', 'b', 'c'], states(3), options());
    expect(first.done.map(({ index }) => index)).toEqual([0, 2]);
    expect(first.retry.map(({ index, retry }) => [index, retry?.at, retry?.attempts])).toEqual([[1, 'b', 1]]);
    calls.length = 0;
    broken = false;
    const second = await runNodes(pipeline, ['a', 'b', 'c'], first.retry, options());
    expect(calls).toEqual(['b 1', 'c 1']);
    expect(second.done[0]).toEqual({ ...state(1), fields: { ...state(1).fields, a: 1, b: 1, d: 1 } });
    await expect(runNodes(pipeline, ['a'], first.retry, options())).rejects.toThrow(
      "record 1 is to be resumed at 'b', which is not among a",
    );
    await expect(runNodes(pipeline, ['z'], [], options())).rejects.toThrow("pipeline 'p' has no node 'z'; it has a, b, c");
  });

  test('what it was given is not written to; untouched records are passed on as they are', async () => {
    const records = [
      Object.freeze({ ...state(0), fields: Object.freeze(state(0).fields) }),
      { ...state(1), filtered: { by: 'x', reason: 'y' } },
    ];
    const { done } = await runNodes(
      reads(({ n }) => ({ m: n })),
      ['f'],
      records,
      options(),
    );
    expect(done[0]?.fields['m']).toBe(0);
    expect(done[1]).toBe(records[1]);
  });
});

describe('memo', () => {
  test('equal reads are asked once until the answer is too old; failures are not remembered', async () => {
    let now = 0;
    const asked: unknown[] = [];
    const handleBatch = (records: { n: number }[]) => (
      asked.push(records.map(({ n }) => n)),
      records.map(({ n }) => (n === 9 ? new TerminalError('NINE', '9') : { m: n * 2 }))
    );
    const pipeline = single({ effect: 'read', memo: { ttlMs: 100 }, handle: undefined, handleBatch });
    const run = (...ns: number[]) =>
      runNodes(
        pipeline,
        ['f'],
        ns.map((n, i) => state(i, { n })),
        options({ memo, clock: { now: () => now, cpu: () => 0 } }),
      );
    const memo = new Memo();
    await run(1, 2, 9);
    const second = await run(2, 3, 9);
    expect(second.done.map(({ fields, death: d }) => d?.code ?? fields['m'])).toEqual([4, 6, 'NINE']);
    now = 101;
    await run(1);
    expect(asked).toEqual([[1, 2, 9], [3, 9], [1]]);
  });
});

describe('children', () => {
  const Lines = z.object({ id: z.string(), lines: z.array(z.object({ c: z.string(), q: z.number() })) });
  const expand = defineExpand('lines', {
    reads: Lines.pick({ lines: true }),
    writes: z.object({ c: z.string(), q: z.number() }),
    children: ({ lines }) => [...lines],
  });
  const positive = defineFilter('positive', { reads: z.object({ q: z.number() }), keep: ({ q }) => q > 0 || 'not positive' });
  const total = <const Name extends string, const Into extends string>(name: Name, into: Into) =>
    defineReduce(name, {
      reads: z.object({ c: z.string(), q: z.number() }),
      key: ['c'],
      into,
      zero: { sum: 0 },
      add: (s, { q }) => ({ sum: s.sum + q }),
      merge: (a, b) => ({ sum: a.sum + b.sum }),
    });
  const record = (index: number, ...lines: [string, number][]): RecordState => ({
    index,
    key: `k${index}`,
    arrivedAt: 'now',
    fields: { id: `k${index}`, lines: lines.map(([c, q]) => ({ c, q })) },
  });

  test('a filter drops a child for those behind it only; groups are sorted; every parent gets the field', async () => {
    const pipeline = definePipeline('p', { ...on, input: Lines }, (r) => {
      const lines = expand(r);
      return join(r, total('all', 'all')(lines), total('good', 'good')(positive(lines)));
    });
    const input = [record(0, ['b', 1], ['a', 2], ['b', -5], ['ä', 1]), record(1)];
    const { done, spans } = await runNodes(pipeline, ['lines', 'positive', 'all', 'good'], input, options());
    const groups = done.map(({ fields }) => [fields['all'], fields['good']]);
    expect(groups).toEqual([
      [
        [
          { c: 'a', sum: 2 },
          { c: 'b', sum: -4 },
          { c: 'ä', sum: 1 },
        ],
        [
          { c: 'a', sum: 2 },
          { c: 'b', sum: 1 },
          { c: 'ä', sum: 1 },
        ],
      ],
      [[], []],
    ]);
    expect(spans.map(({ recordsIn, recordsOut, filtered }) => [recordsIn, recordsOut, filtered])).toEqual([
      [2, 2, 0],
      [2, 2, 0],
      [2, 2, 0],
      [2, 2, 0],
    ]);
    expect(done[0]?.children?.['lines']?.map(({ droppedBy }) => droppedBy)).toEqual([undefined, undefined, ['positive'], undefined]);
  });

  test('a child that fails fails its record, whole: no sibling keeps a field, and the node is run again for all of them', async () => {
    let broken = true;
    const keys: string[] = [];
    const check = defineFunction('check', {
      effect: 'idempotent-write',
      reads: z.object({ q: z.number() }),
      writes: M,
      handle: ({ q }, context) => {
        keys.push(...context.keys);
        if (broken && q === 2) throw new Error('x');
        return { m: q };
      },
    });
    const sum = defineReduce('sum', {
      reads: M,
      into: 'sum',
      zero: { n: 0 },
      add: (s, { m }) => ({ n: s.n + m }),
      merge: (a, b) => ({ n: a.n + b.n }),
    });
    const pipeline = definePipeline('p', { ...on, input: Lines }, (r) => join(r, sum(check(expand(r)))));
    const first = await runNodes(
      pipeline,
      ['lines', 'check', 'sum'],
      [record(0, ['a', 1], ['a', 2], ['a', 3]), record(1, ['a', 4])],
      options(),
    );
    expect(first.done.map(({ fields }) => fields['sum'])).toEqual([{ n: 4 }]);
    expect(first.retry[0]?.children?.['lines']?.map(({ fields }) => fields['m'])).toEqual([undefined, undefined, undefined]);
    expect(keys).toEqual(['p/live/k0/check/0', 'p/live/k0/check/1', 'p/live/k1/check/0']);
    broken = false;
    const second = await runNodes(pipeline, ['lines', 'check', 'sum'], first.retry, options());
    expect(second.done.map(({ fields }) => fields['sum'])).toEqual([{ n: 6 }]);
    expect(keys.slice(3)).toEqual(['p/live/k0/check/0', 'p/live/k0/check/1', 'p/live/k0/check/2']);
  });

  test('scopes nest: an inner reduce writes to the children that its parent shows', async () => {
    const pieces = defineExpand('pieces', {
      reads: z.object({ q: z.number() }),
      writes: M,
      children: ({ q }) => Array.from({ length: q }, (_, m) => ({ m })),
    });
    const odd = defineFilter('odd', { reads: M, keep: ({ m }) => m % 2 === 1 || 'even' });
    const count = defineReduce('count', {
      reads: z.object({}),
      into: 'odds',
      zero: { n: 0 },
      add: ({ n }) => ({ n: n + 1 }),
      merge: (a, b) => ({ n: a.n + b.n }),
    });
    const sum = defineReduce('sum', {
      reads: z.object({ odds: z.object({ n: z.number() }) }),
      into: 'sum',
      zero: { n: 0 },
      add: (s, { odds }) => ({ n: s.n + odds.n }),
      merge: (a, b) => ({ n: a.n + b.n }),
    });
    const pipeline = definePipeline('p', { ...on, input: Lines }, (r) => join(r, sum(count(odd(pieces(positive(expand(r))))))));
    const nodes = specOf(pipeline).nodes.map(({ id }) => id);
    const input = [record(0, ['a', 5], ['a', -1], ['a', 2]), record(1)];
    const fused = await runNodes(pipeline, nodes, input, options());
    expect(fused.done.map(({ fields }) => fields['sum'])).toEqual([{ n: 3 }, { n: 0 }]);
    let stepwise: readonly RecordState[] = input;
    for (const id of nodes) stepwise = (await runNodes(pipeline, [id], JSON.parse(JSON.stringify(stepwise)), options())).done;
    expect(stepwise).toEqual(fused.done);
  });

  test('without its expand a node says what is wrong with the topology', async () => {
    const pipeline = definePipeline('p', { ...on, input: Lines }, (r) => join(r, total('all', 'all')(expand(r))));
    await expect(runNodes(pipeline, ['all'], [record(0)], options())).rejects.toThrow(
      "record 0 came to 'all' without the children that 'lines' makes: the topology is not legal",
    );
  });
});

test('outcomes', () => {
  const spec = { output: ['id', 'm'] };
  expect(outcomeOf(spec, state(0, { m: 1 }))).toEqual({ state: 'completed', key: 'k0', output: { id: 'k0', m: 1 } });
  const dying = { ...state(0), death: { in: 'f', code: 'X', message: 'x' } };
  expect(outcomeOf(spec, dying)).toEqual({ state: 'dead', key: 'k0', in: 'f', code: 'X', message: 'x' });
  expect(outcomeOf(spec, { ...dying, filtered: { by: 'keep', reason: 'no' } })).toEqual({
    state: 'filtered',
    key: 'k0',
    by: 'keep',
    reason: 'no',
  });
});
