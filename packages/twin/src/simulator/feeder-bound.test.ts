import { OpenBound } from '@autoflow/topology';
import { expect, it } from 'vitest';
import { poissonArrivals } from '../arrivals.js';
import { simulate } from '../simulate.js';
import { allocationOf, planOf } from '../testing/plans.js';
import { FeederBound } from './feeder-bound.js';

it('is shown what closed within the last second, as a feeder is: what closed while it rested does not lower it again', () => {
  const twin = new FeederBound();
  const feeder = new OpenBound();
  // A queue that builds up and is worked off: executions stay open for longer and longer, then shorter again.
  const closes = Array.from({ length: 400 }, (_, i) => ({
    at: 100 * i,
    openMs: i < 100 ? 200 + 60 * i : Math.max(200, 6_200 - 60 * (i - 100)),
  }));
  for (const { at, openMs } of closes) {
    for (const bound of [twin, feeder]) bound.reached();
    twin.close(openMs, at);
    const late = closes.filter((one) => one.at <= at && one.at >= at - 1_000);
    feeder.observe({ closed: late.length, meanOpenMs: late.reduce((sum, one) => sum + one.openMs, 0) / late.length }, at);
    expect(twin.limit).toBe(feeder.limit);
  }
  expect(twin.limit).toBeGreaterThan(8);
});

it('keeps instances busy whose work takes seconds, and varies', () => {
  const plan = planOf({ models: { lookUp: { ioFixedMs: 3_300, cv: 0.6 } } });
  // Nine of twelve are busy, if they are fed.
  const arrivals = poissonArrivals(9 / 3.3, 2_000, 1);
  const meanMs = (openExecutions: number | 'fed') =>
    simulate(plan, allocationOf(plan, 12), { arrivals, seed: 1, openExecutions }).latencyMs.mean;
  expect(meanMs('fed')).toBeLessThan(1.1 * meanMs(Infinity));
});
