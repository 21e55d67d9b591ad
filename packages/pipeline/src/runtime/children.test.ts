import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineExpand, defineFilter, defineFunction, definePipeline, defineReduce, join, specOf, type RecordState } from '../index.js';
import { M, on, options } from '../testing/single-function.js';
import { runNodes } from './index.js';

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
