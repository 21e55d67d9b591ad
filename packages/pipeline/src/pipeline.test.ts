/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineExpand,
  defineFilter,
  defineFunction,
  definePipeline,
  defineReduce,
  defineResource,
  DefinitionError,
  isTerminalError,
  join as typedJoin,
  pipelinesIn,
  specOf,
  TerminalError,
} from './index.js';

const Id = z.object({ id: z.string() });
const on = { input: Id, key: 'id', output: Id } as const;
const nothing = z.object({});
type Call = (record: any) => any;
const join = typedJoin as unknown as (...records: any[]) => any;
const adds = (name: string, field: string, effect: 'pure' | 'read' | 'idempotent-write' | 'write' = 'pure') =>
  defineFunction(name, { effect, reads: Id, writes: z.object({ [field]: z.string() }), handle: () => ({ [field]: 'x' }) }) as unknown as (
    record: unknown,
  ) => never;
const keep = defineFilter('keep', { reads: Id, keep: () => true }) as unknown as Call;
const parts = defineExpand('parts', { reads: Id, writes: z.object({ n: z.number() }), children: () => [] }) as unknown as Call;
const count = defineReduce('count', {
  reads: nothing,
  into: 'count',
  zero: { n: 0 },
  add: ({ n }) => ({ n: n + 1 }),
  merge: (a, b) => ({ n: a.n + b.n }),
}) as unknown as Call;

describe('a symbolic record', () => {
  const touched: [string, (record: any) => unknown, RegExp][] = [
    ['reading a field', (r) => r.country, /after 'keep' was asked for 'country'.*look at fields in the handler/i],
    ['a template', (r) => `${r}`, /was coerced to a value/],
    ['arithmetic', (r) => r + 1, /was coerced to a value/],
    ['comparing by size', (r) => r < 1, /was coerced to a value/],
    ['spreading', (r) => ({ ...r }), /was spread or its keys were listed/],
    ['listing keys', (r) => Object.keys(r), /was spread or its keys were listed/],
    ['JSON', (r) => JSON.stringify(r), /was given to JSON.stringify/],
    ['iterating', (r) => [...r], /was iterated/],
    ['destructuring', ({ id }) => id, /was asked for 'id'/],
    ['in', (r) => 'id' in r, /was asked whether it has 'id'/],
    ['writing a field', (r) => (r.id = 1), /was given a field 'id'/],
    ['deleting a field', (r) => delete r.id, /was to lose its field 'id'/],
    ['hasOwn', (r) => Object.hasOwn(r, 'id'), /was asked for 'id'/],
  ];
  test.each(touched)('%s throws with the remedy', (_, touch, message) => {
    expect(() => definePipeline('p', on, (r) => (touch(keep(r)), r))).toThrow(message);
  });
  test('awaiting it throws', async () => {
    let outcome: Promise<unknown> = Promise.resolve();
    definePipeline('p', on, (r) => ((outcome = (async () => await (r as unknown as Promise<never>))()), r));
    await expect(outcome).rejects.toThrow(/was awaited/);
  });
  test.each([
    ['undefined', undefined, /'keep' got undefined instead of a symbolic record/],
    ['a plain object', { id: 'x' }, /got a plain object/],
    ['null', null, /got null/],
  ])('a function called on %s', (_, value, message) => {
    expect(() => definePipeline('p', on, () => keep(value))).toThrow(message);
  });
  test('an asynchronous wire is named', () => {
    expect(() => definePipeline('p', on, (async (r: never) => r) as never)).toThrow(/the result of pipeline 'p' got a promise/);
  });
  test('it may not leave its pipeline', () => {
    let leaked: never;
    definePipeline('p', on, (r) => (leaked = r as never));
    expect(() => keep(leaked)).toThrow(/'keep' was called on a record of pipeline 'p' after its definition had ended/);
    expect(() => definePipeline('q', on, () => leaked)).toThrow(/pipeline 'q' returns a record of pipeline 'p'/);
    expect(() => definePipeline('q', on, (r) => join(r, leaked))).toThrow(/a join in pipeline 'q' was given a record of pipeline 'p'/);
  });
});

describe('names', () => {
  test.each(['', 'Retail', '1a', 'a_b', 'a/b', 'a b', 'constructor', 'default', 'é', 'a'.repeat(101), undefined])(
    '%j is refused',
    (name) => {
      expect(() => definePipeline(name as string, on, (r) => r)).toThrow(DefinitionError);
      expect(() => defineFilter(name as string, { reads: Id, keep: () => true })).toThrow(DefinitionError);
      expect(() => defineResource({ name: name as string, open: () => 1 })).toThrow(DefinitionError);
    },
  );
  test('a field may not be named like what every object has', () => {
    expect(() => adds('f', 'toString')).toThrow(/function 'f' has a field named 'toString'/);
    expect(() => definePipeline('p', { ...on, input: Id.extend({ constructor: z.string() }) } as never, (r) => r)).toThrow(
      /has a field named 'constructor'/,
    );
  });
  test('two functions with one name', () => {
    expect(() => definePipeline('p', on, (r) => join(adds('f', 'a')(r), adds('f', 'b')(r)))).toThrow(
      /two different functions are named 'f': rename one/,
    );
  });
  test('two resources with one name', () => {
    const uses = (name: string) =>
      defineFunction(name, { effect: 'read', uses: { db: defineResource({ name: 'db', open: () => 1 }) }, reads: Id, handle: () => {} });
    expect(() => definePipeline('p', on, (r) => uses('g')(uses('f')(r)))).toThrow(/two different resources are named 'db'/);
  });
  test('a second call of a function has an id of its own', () => {
    const seen = defineFunction('seen', { effect: 'pure', reads: nothing, handle: () => {} });
    expect(specOf(definePipeline('p', on, (r) => seen(keep(seen(r))))).nodes.map(({ id, inputs }) => [id, inputs])).toEqual([
      ['seen', []],
      ['keep', ['seen']],
      ['seen#2', ['keep']],
    ]);
  });
});

describe('a wiring', () => {
  const wrong: [string, (record: any) => any, RegExp][] = [
    ['leads nowhere', (r) => (adds('f', 'a')(r), r), /'f' leads nowhere: join it into the record that the pipeline returns, or remove it/],
    [
      'reads what nobody wrote',
      (r) =>
        defineFunction('f', { effect: 'pure', reads: z.object({ a: z.string(), b: z.string().optional() }), handle: () => {} })(r as never),
      /'f' reads 'a', which nothing before it writes/,
    ],
    [
      'writes twice in a chain',
      (r) => adds('g', 'a')(adds('f', 'a')(r)),
      /'g' writes the field 'a', which 'f' has written: fields are written once/,
    ],
    ['writes over the input', (r) => adds('f', 'id')(r), /'f' writes the field 'id', which the input has written/],
    [
      'calls a function twice in two branches',
      (r) => {
        const f = adds('f', 'a');
        return join(f(r), f(keep(r)));
      },
      /'f#2' writes the field 'a', which 'f' has written/,
    ],
    ['reduces nothing', (r) => join(r, count(r)), /'count' has no expand to close/],
    ['returns children', (r) => parts(r), /it returns children of 'parts'/],
    ['joins strangers', (r) => join(r, parts(r)), /a join brings together records of different identity \(the record itself; parts\)/],
    ['joins children of two expands', (r) => join(r, count(join(parts(r), parts(r)))), /records of different identity \(parts; parts#2\)/],
    [
      'writes beside a filter',
      (r) => join(keep(r), adds('store', 'a', 'write')(r)),
      /'store' writes beside or before the filter 'keep'.*call 'store' on a record that has passed 'keep'/,
    ],
    ['writes before a filter', (r) => keep(adds('store', 'a', 'idempotent-write')(r)), /'store' writes beside or before the filter 'keep'/],
  ];
  test.each(wrong)('that %s is refused', (_, wire, message) => {
    expect(() => definePipeline('p', on, wire)).toThrow(message);
  });
  test('a missing output is named', () => {
    expect(() => definePipeline('p', { ...on, output: z.object({ total: z.number() }) }, ((r: unknown) => r) as never)).toThrow(
      /it promises the output 'total', which the returned record does not have/,
    );
  });
  test('a key that is no input is named with what there is', () => {
    expect(() => definePipeline('p', { ...on, key: 'no' as never }, (r) => r)).toThrow(
      `pipeline 'p' has the key "no", which is no field of its input. Name the field that identifies a record, one of: id.`,
    );
  });
  test('all problems are told at once', () => {
    const wire = (r: any) => (adds('f', 'a')(r), keep(adds('store', 'id', 'write')(r)));
    expect(() => definePipeline('p', on, wire)).toThrow(
      /'f' leads nowhere.*'store' writes the field 'id'.*beside or before the filter 'keep'.*correct these 3 problems/i,
    );
  });
  test('a write behind all filters, and child filters anywhere, are fine', () => {
    const wire = (r: any) => adds('store', 'a', 'write')(keep(join(r, count(keep(parts(r))))));
    expect(() => definePipeline('p', on, wire)).toThrow(/'keep' reads 'id', which nothing before it writes/);
    const small = defineFilter('small', { reads: z.object({ n: z.number() }), keep: () => true }) as unknown as Call;
    expect(() => definePipeline('p', on, (r) => adds('store', 'a', 'write')(keep(join(r, count(small(parts(r)))))))).not.toThrow();
  });
});

describe('without the compiler', () => {
  const f = (more: object) => () => defineFunction('f', { effect: 'pure', reads: Id, handle: () => {}, ...more } as never);
  test.each([
    [f({ effect: 'nope' }), /has the effect "nope"/],
    [f({ handle: undefined }), /has neither handle nor handleBatch/],
    [f({ handleBatch: () => [] }), /has both handle and handleBatch/],
    [f({ uses: { db: defineResource({ name: 'db', open: () => 1 }) } }), /is pure and uses a resource/],
    [f({ effect: 'read', uses: { signal: defineResource({ name: 'db', open: () => 1 }) } }), /hides what the context holds/],
    [f({ effect: 'read', uses: { db: 1 } }), /uses 'db', which is no resource/],
    [f({ memo: { ttlMs: 1 } }), /only a read can be remembered/i],
    [f({ effect: 'write', retry: { maximumAttempts: 2 } }), /a plain write is never tried again/i],
    [f({ timeoutMs: 0 }), /timeoutMs = 0. Use a whole number greater than zero/],
    [f({ retry: { maximumAttempts: 1.5 } }), /retry.maximumAttempts = 1.5/],
    [f({ retry: { backoffCoefficient: 0.5 } }), /retry.backoffCoefficient = 0.5. Use a number of at least 1/],
    [f({ reads: { id: 'string' } }), /'reads' of function 'f' is no Zod object/],
    [
      () => defineReduce('r', { reads: Id, key: ['no' as never], into: 'x', zero: {}, add: (a) => a, merge: (a) => a }),
      /groups by 'no', which it does not read/,
    ],
    [
      () => defineReduce('r', { reads: Id, key: ['id'], into: 'x', zero: { id: 1 }, add: (a) => a, merge: (a) => a }),
      /has 'id' in its key and in its sum/,
    ],
    [() => defineResource({ name: 'r', limit: { concurrency: 0 }, open: () => 1 }), /limit.concurrency = 0/],
  ])('%#', (define, message) => {
    expect(define).toThrow(message);
  });
});

test('a resource gets the secrets it declares and no other', () => {
  const env = { secret: (name: string) => `value of ${name}`, signal: new AbortController().signal };
  expect(defineResource({ name: 'r', secrets: ['URL'], open: ({ secret }) => secret('URL') }).open(env)).toBe('value of URL');
  const curious = defineResource({ name: 'r', secrets: ['URL'], open: ({ secret }) => secret('PASSWORD' as never) });
  expect(() => curious.open(env)).toThrow(/asked for the secret 'PASSWORD', which it does not declare. Add 'PASSWORD' to its `secrets`/i);
});

test('pipelines of a module are found by brand, each once', () => {
  const [a, b] = [definePipeline('a', on, (r) => r), definePipeline('b', on, (r) => r)];
  expect(pipelinesIn({ b, default: b, a, keep, nothing: null, name: 'x' })).toEqual([a, b]);
  const foreign = Object.assign(Object.create(null) as object, { [Symbol.for('autoflow.Pipeline')]: true, name: 'c' });
  expect(pipelinesIn({ foreign })).toEqual([foreign]);
});

test('a terminal error is known by brand', () => {
  expect(isTerminalError(new TerminalError('X', 'x'))).toBe(true);
  expect(isTerminalError({ [Symbol.for('autoflow.TerminalError')]: true })).toBe(true);
  expect([new Error('x'), null, undefined, 'x'].some(isTerminalError)).toBe(false);
});
