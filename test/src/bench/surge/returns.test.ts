import { expect, test } from 'vitest';
import { memoryOver, returnsIn } from './returns.js';

const steps = (...of: readonly (readonly [ms: number, mb: number])[]) => of.map(([ms, mb]) => ({ ms, mb }));

test.each([
  ['at the last step down', steps([0, 10], [20, 60], [110, 30], [130, 11]), 30],
  ['not at a dip that rises again', steps([0, 10], [20, 60], [110, 11], [120, 40], [150, 12]), 50],
  ['where an instance comes and goes later, but little on average', steps([0, 10], [20, 60], [110, 10], [150, 14], [160, 10]), 10],
  ['at once where it was back before', steps([0, 10], [20, 60], [90, 10]), 0],
  ['at once where it never rose', steps([0, 10], [20, 12]), 0],
  ['never where it ends above', steps([0, 10], [20, 60], [110, 11], [120, 40]), null],
])('memory has returned %s', (_, of, after) => {
  expect(returnsIn(of, { endsMs: 100, untilMs: 200 }, 12)).toBe(after);
});

test('memory over a time is that of the steps in it', () => {
  expect(memoryOver(steps([0, 10], [20, 60], [50, 20]), 10, 60)).toBe(10 * 10 + 30 * 60 + 10 * 20);
});
