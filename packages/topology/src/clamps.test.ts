import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clampedEnvelope, clampProblems, outsideClamp } from './clamps.js';

const bounds = { memoryMb: [128, 256, 1024], concurrency: { min: 1, max: 8 } };

test('a clamp narrows the envelope and nothing else', () => {
  const envelope = { parse: bounds, store: bounds };
  expect(clampedEnvelope(envelope, {})).toEqual(envelope);
  expect(clampedEnvelope(envelope, { parse: { memoryMb: { min: 200, max: 9999 }, concurrency: { min: 0, max: 3 } } })).toEqual({
    parse: { memoryMb: [256, 1024], concurrency: { min: 1, max: 3 } },
    store: bounds,
  });
});

test('what leaves nothing of the envelope is refused, all at once', () => {
  const problems = clampProblems(bounds, { memoryMb: { min: 300, max: 1000 }, concurrency: { min: 9, max: 10 } });
  expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual([
    ['CLAMP_EMPTY', '/memoryMb'],
    ['CLAMP_EMPTY', '/concurrency'],
  ]);
  expect(clampProblems(bounds, { concurrency: { min: 4, max: 2 } })).toMatchObject([{ code: 'CLAMP_RANGE', pointer: '/concurrency' }]);
});

test('what a clamp without problems permits is what the narrowed envelope permits', () => {
  const range = fc.record({ min: fc.integer({ min: 0, max: 1200 }), max: fc.integer({ min: 0, max: 1200 }) });
  const anyClamp = fc.record({ memoryMb: range, concurrency: range }, { requiredKeys: [] });
  const stage = fc.record({ memoryMb: fc.constantFrom(...bounds.memoryMb), concurrency: fc.integer({ min: 1, max: 8 }) });
  fc.assert(
    fc.property(anyClamp, stage, (clamp, wanted) => {
      fc.pre(clampProblems(bounds, clamp).length === 0);
      const { memoryMb, concurrency } = clampedEnvelope({ s: bounds }, { s: clamp })['s']!;
      const permitted =
        memoryMb.includes(wanted.memoryMb) && concurrency.min <= wanted.concurrency && wanted.concurrency <= concurrency.max;
      expect(outsideClamp(wanted, clamp) === undefined).toBe(permitted);
      expect(memoryMb.length > 0 && concurrency.min <= concurrency.max).toBe(true);
    }),
  );
});
