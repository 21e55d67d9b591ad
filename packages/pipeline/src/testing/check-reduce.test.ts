import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineReduce } from '../index.js';
import { checkReduce, toMermaid } from './index.js';
import { retailOrders } from '../type-tests/retail.js';

const Amount = z.object({ amount: z.number() });
const sum = defineReduce('sum', {
  reads: Amount,
  into: 'total',
  zero: { sum: 0 },
  add: (s, { amount }) => ({ sum: s.sum + amount }),
  merge: (a, b) => ({ sum: a.sum + b.sum }),
});

test('sums of integers hold', () => {
  expect(checkReduce(sum, [{ amount: 1 }, { amount: 250 }, { amount: -3 }])).toEqual({ holds: true, tried: 1_000 });
});

test('sums of fractions do not: the counterexample is shown', () => {
  const report = checkReduce(sum, [{ amount: 0.1 }, { amount: 0.7 }, { amount: 1.3 }]);
  expect(report).toMatchObject({ holds: false, law: expect.stringMatching(/merge is associative|add agrees with merge/) });
  expect(!report.holds && report.message).toMatch(/^'sum': it does not hold that .*"sum":.* is not .*"sum":/);
});

test('a merge that takes sides is found', () => {
  const first = defineReduce('first', {
    reads: Amount,
    into: 'f',
    zero: { n: 0 },
    add: (_, { amount }) => ({ n: amount }),
    merge: (a) => a,
  });
  expect(checkReduce(first, [{ amount: 1 }, { amount: 2 }])).toMatchObject({ holds: false });
});

test('a merge that forgets is found', () => {
  const last = defineReduce('max', {
    reads: Amount,
    into: 'm',
    zero: { max: 0 },
    add: (s, { amount }) => ({ max: Math.max(s.max, amount) }),
    merge: (a, b) => ({ max: Math.max(a.max, b.max) + 1 }),
  });
  expect(checkReduce(last, [{ amount: 1 }])).toMatchObject({ holds: false, law: 'zero is neutral' });
});

test('there must be something to try', () => {
  expect(() => checkReduce(sum, [])).toThrow('give some children as samples');
});

test('a pipeline as Mermaid', () => {
  expect(toMermaid(retailOrders)).toMatchInlineSnapshot(`
    "flowchart LR
      n0(["retail-orders"])
      n1{{"is-sale"}}
      n0 --> n1
      n2["find-currency"]
      n1 --> n2
      n3["look-up-rate"]
      n2 --> n3
      n4[/"lines"\\]
      n1 --> n4
      n5[\\"revenue-by-category"/]
      n4 --> n5
      n6["score-fraud"]
      n1 --> n6
      n5 --> n6
      n7["store-order"]:::sink
      n3 --> n7
      n6 --> n7
      classDef sink stroke-width:3px"
  `);
});
