/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineExpand,
  defineFilter,
  defineFunction,
  definePipeline,
  defineReduce,
  defineResource,
  dependencies,
  join,
  specOf,
} from './index.js';

const In = z.object({ id: z.string() });
const Child = z.object({ n: z.number() });
const db = defineResource({ name: 'db', open: () => 1 });
const api = defineResource({ name: 'api', open: () => 1 });
const expand = defineExpand('expand', { reads: In, writes: Child, children: () => [] });
const small = defineFilter('small', { reads: Child, keep: () => true });
const count = defineReduce('count', { reads: z.object({}), into: 'count', zero: { n: 0 }, add: (s) => s, merge: (s) => s });
const keep = defineFilter('keep', { reads: In, keep: () => true });
const wanted = defineFilter('wanted', { reads: In, keep: () => true });
const rate = defineFunction('rate', {
  effect: 'read',
  uses: { api, db },
  reads: In,
  writes: z.object({ rate: z.number() }),
  handle: () => ({ rate: 1 }),
});
const convert = defineFunction('convert', {
  effect: 'pure',
  reads: z.object({ rate: z.number(), count: z.object({ n: z.number() }) }),
  writes: z.object({ total: z.number() }),
  handle: () => ({ total: 1 }),
});
const again = defineFunction('again', { effect: 'read', uses: { api }, reads: In, handle: () => {} });
const store = defineFunction('store', {
  effect: 'idempotent-write',
  uses: { db },
  reads: z.object({ total: z.number() }),
  handle: () => {},
});
const tell = defineFunction('tell', { effect: 'write', uses: { api }, reads: In, handle: () => {} });

const listed = (wire: (r: any) => any) =>
  dependencies(specOf(definePipeline('p', { input: In, key: 'id', output: In }, wire))).map(
    ({ from, to, reason, field, resource }) => `${from} → ${to}: ${[reason, field, resource].filter(Boolean).join(' ')}`,
  );

test('all that orders a pipeline, by reason', () => {
  expect(
    listed((r) => {
      const rated = rate(keep(r));
      const counted = count(small(expand(rated)));
      const checked = wanted(join(rated, counted));
      return tell(store(convert(again(checked) as never) as never) as never);
    }),
  ).toEqual([
    'expand → small: field n',
    'expand → small: scope',
    'expand → count: scope',
    'small → count: scope',
    'keep → wanted: filter',
    'rate → convert: field rate',
    'count → convert: field count',
    'keep → store: filter',
    'keep → store: upstream',
    'rate → store: upstream',
    'rate → store: resource db',
    'expand → store: upstream',
    'small → store: upstream',
    'count → store: upstream',
    'wanted → store: filter',
    'wanted → store: upstream',
    'again → store: upstream',
    'convert → store: field total',
    'convert → store: upstream',
    'keep → tell: filter',
    'keep → tell: upstream',
    'rate → tell: upstream',
    'rate → tell: resource api',
    'expand → tell: upstream',
    'small → tell: upstream',
    'count → tell: upstream',
    'wanted → tell: filter',
    'wanted → tell: upstream',
    'again → tell: upstream',
    'again → tell: resource api',
    'convert → tell: upstream',
    'store → tell: upstream',
    'store → tell: write',
  ]);
});

test('a write comes behind all that its records have passed, and is free of what lies beside it', () => {
  expect(listed((r) => join(r, count(expand(r)), tell(r)))).toEqual(['expand → count: scope']);
  expect(listed((r) => tell(again(join(r, count(expand(r))) as never)))).toEqual([
    'expand → count: scope',
    'expand → tell: upstream',
    'count → tell: upstream',
    'again → tell: upstream',
    'again → tell: resource api',
  ]);
});

test('a child filter beside a node, and a filter in another scope of the same expand twice, order nothing', () => {
  expect(
    listed((r) => {
      const children = expand(r);
      const seen = defineFunction('seen', { effect: 'pure', reads: Child, writes: z.object({ m: z.number() }), handle: () => ({ m: 1 }) })(
        children,
      );
      return join(r, count(join(small(children), seen)));
    }),
  ).toEqual([
    'expand → seen: field n',
    'expand → seen: scope',
    'expand → small: field n',
    'expand → small: scope',
    'expand → count: scope',
    'small → count: scope',
  ]);
});

test('an optional read that only a branch beside it writes is no read', () => {
  const curious = defineFunction('curious', { effect: 'pure', reads: z.object({ rate: z.number().optional() }), handle: () => {} });
  const spec = specOf(definePipeline('p', { input: In, key: 'id', output: In }, (r) => join(rate(r), curious(r as never)) as never));
  expect(spec.nodes.map(({ id, reads }) => [id, reads])).toEqual([
    ['rate', ['id']],
    ['curious', []],
  ]);
  expect(dependencies(spec)).toEqual([]);
});
