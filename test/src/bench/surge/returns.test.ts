import { expect, test } from 'vitest';
import { returnsIn } from './returns.js';

const steps = (...of: readonly (readonly [ms: number, mb: number])[]) => of.map(([ms, mb]) => ({ ms, mb }));

test.each([
  ['at the last step down', steps([0, 10], [20, 60], [110, 30], [130, 11]), 30],
  ['not at a dip that rises again', steps([0, 10], [20, 60], [110, 11], [120, 40], [150, 12]), 50],
  ['at once where it was back before', steps([0, 10], [20, 60], [90, 10]), 0],
  ['at once where it never rose', steps([0, 10], [20, 12]), 0],
  ['never where it ends above', steps([0, 10], [20, 60], [110, 11], [120, 40]), null],
])('memory has returned %s', (_, of, after) => {
  expect(returnsIn(of, 100, 12)).toBe(after);
});
