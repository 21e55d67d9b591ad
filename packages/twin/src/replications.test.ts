import { expect, it } from 'vitest';
import { poissonArrivals } from './arrivals.js';
import { kendallTau } from './kendall.js';
import { estimate, replicate } from './replications.js';
import { simulate } from './simulate.js';
import { allocationOf, planOf } from './testing/plans.js';

it('an interval is that of Student', () => {
  expect(estimate([1, 2, 3])).toEqual({ mean: 2, halfWidth: expect.closeTo(4.303 / Math.sqrt(3), 3) as number });
});

it('intervals of independent replications cover what theory says', () => {
  const plan = planOf({ models: { a: { ioFixedMs: 100 } } });
  const run = (seed: number) => simulate(plan, allocationOf(plan, 1), { arrivals: poissonArrivals(6, 20_000, seed), seed });
  const { mean, halfWidth } = replicate(run, 8).latencyMs.mean;
  expect(Math.abs(mean - (100 + (0.6 * 100) / 0.8))).toBeLessThan(1.5 * halfWidth);
  expect(halfWidth).toBeLessThan(0.05 * mean);
});

it('Kendall: 1 for the same order, −1 for the opposite, ties for neither', () => {
  expect(kendallTau([1, 2, 3], [10, 20, 30])).toBe(1);
  expect(kendallTau([1, 2, 3], [3, 2, 1])).toBe(-1);
  expect(kendallTau([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(5 / Math.sqrt(30), 10);
});
