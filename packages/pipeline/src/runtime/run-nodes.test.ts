/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineExpand, defineFunction, definePipeline, defineReduce, join, TerminalError } from '../index.js';
import { on, options, reads, single, state, states } from '../testing/single-function.js';
import { Memo, runNodes } from './index.js';

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
    const twins = await run(5, 9, 5, 9);
    expect(asked.at(-1)).toEqual([5, 9]);
    expect(twins.done.map(({ fields, death: d }) => d?.code ?? fields['m'])).toEqual([10, 'NINE', 10, 'NINE']);
  });

  test('calls of one function in two scopes share its answers', async () => {
    const asked: number[] = [];
    const lookUp = defineFunction('look-up', {
      effect: 'read',
      reads: z.object({ q: z.number() }),
      writes: z.object({ m: z.number() }),
      memo: { ttlMs: 100 },
      handle: ({ q }) => (asked.push(q), { m: q }),
    });
    const opened = <const Name extends string>(name: Name) =>
      defineExpand(name, { reads: z.object({ n: z.number() }), writes: z.object({ q: z.number() }), children: () => [{ q: 7 }] });
    const closed = <const Into extends string>(into: Into) =>
      defineReduce(into, { reads: z.object({ m: z.number() }), into, zero: { n: 0 }, add: (s) => s, merge: (s) => s });
    const pipeline = definePipeline('p', on, (r) => join(r, closed('a')(lookUp(opened('as')(r))), closed('b')(lookUp(opened('bs')(r)))));
    const ids = pipeline.wiring.nodes.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['look-up', 'look-up#2']));
    const { done } = await runNodes(pipeline, ids, states(1), options({ memo: new Memo() }));
    expect([asked, done[0]?.death]).toEqual([[7], undefined]);
  });
});
