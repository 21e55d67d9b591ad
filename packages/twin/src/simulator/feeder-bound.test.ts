import { OpenBound } from '@autoflow/topology';
import { expect, it } from 'vitest';
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
