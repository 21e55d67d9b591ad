import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineExpand, defineFilter, defineFunction, definePipeline, defineReduce, defineResource, join, TerminalError } from '../index.js';
import { M, N, on, options, single, state } from '../testing/single-function.js';
import { runNodes, type ObservedNode, type RunOptions } from './index.js';

const observed = async (pipeline: Parameters<typeof runNodes>[0], nodes: readonly string[], records = [state(0), state(1)]) => {
  const seen: ObservedNode[] = [];
  const observer = { wants: (key: string) => key === 'k1', take: (node: ObservedNode) => void seen.push(node) };
  await runNodes(pipeline, nodes, records, options({ observer }));
  return seen;
};

describe('an observer', () => {
  test('is told what each kind of node was asked and answered, of the records it wants', async () => {
    const lines = defineExpand('lines', {
      reads: on.input.pick({ deep: true }),
      writes: z.object({ q: z.number() }),
      children: ({ deep }) => deep.list.map((q) => ({ q })),
    });
    const odd = defineFilter('odd', { reads: z.object({ q: z.number() }), keep: ({ q }) => q % 2 === 1 || 'even' });
    const twice = defineFunction('twice', {
      effect: 'pure',
      reads: z.object({ q: z.number() }),
      writes: z.object({ twice: z.number() }),
      handle: ({ q }) => ({ twice: 2 * q }),
    });
    const sum = defineReduce('sum', {
      reads: z.object({ twice: z.number() }),
      into: 'sum',
      zero: { all: 0 },
      add: (s, { twice }) => ({ all: s.all + twice }),
      merge: (a, b) => ({ all: a.all + b.all }),
    });
    const pipeline = definePipeline('p', on, (r) => join(r, sum(twice(odd(lines(r))))));
    expect(await observed(pipeline, ['lines', 'odd', 'twice', 'sum'])).toEqual([
      { node: 'lines', key: 'k1', calls: [{ input: { deep: { list: [1, 2] } }, answer: { children: [{ q: 1 }, { q: 2 }] } }] },
      {
        node: 'odd',
        key: 'k1',
        calls: [
          { input: { q: 1 }, answer: { kept: true } },
          { input: { q: 2 }, answer: { dropped: 'even' } },
        ],
      },
      { node: 'twice', key: 'k1', calls: [{ input: { q: 1 }, answer: { fields: { twice: 2 } } }] },
      { node: 'sum', key: 'k1', calls: [{ answer: { value: { all: 2 } } }] },
    ]);
  });

  test('is told of failures', async () => {
    const failing = single({
      handle: () => {
        throw new TerminalError('ODD', 'it is odd');
      },
    });
    expect(await observed(failing, ['f'])).toEqual([
      { node: 'f', key: 'k1', calls: [{ input: { n: 1 }, answer: { failure: { terminal: true, code: 'ODD', message: 'it is odd' } } }] },
    ]);
  });
});

describe('a stand-in', () => {
  const opened: string[] = [];
  const rates = defineResource({ name: 'rates', open: () => void opened.push('rates') ?? {} });
  const reading = (effect: 'read' | 'idempotent-write') =>
    definePipeline('p', on, (r) =>
      defineFunction('f', {
        effect,
        uses: { rates },
        reads: N,
        writes: M,
        handle: () => {
          opened.push('handler');
          return { m: -1 };
        },
      })(r),
    );

  test.each(['read', 'idempotent-write'] as const)(
    'answers for a function that does a %s; neither it nor its resource is touched',
    async (effect) => {
      const asked: unknown[] = [];
      const standIn: RunOptions['standIn'] = ({ id }, key, input) => {
        asked.push([id, key, input]);
        return key === 'k0' ? { fields: { m: 7 } } : { failure: { terminal: true, code: 'GONE', message: 'x' } };
      };
      const { done } = await runNodes(reading(effect), ['f'], [state(0), state(1)], options({ standIn }));
      expect(asked).toEqual([
        ['f', 'k0', { n: 0 }],
        ['f', 'k1', { n: 1 }],
      ]);
      expect(done[0]?.fields['m']).toBe(7);
      expect(done[1]?.death).toMatchObject({ in: 'f', code: 'GONE' });
      expect(opened).toEqual([]);
    },
  );

  test('leaves pure functions alone', async () => {
    const { done } = await runNodes(single({}), ['f'], [state(2)], options({ standIn: () => ({ fields: { m: -1 } }) }));
    expect(done[0]?.fields['m']).toBe(2);
  });
});
