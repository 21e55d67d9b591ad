import { expect, it } from 'vitest';
import { leftOf, searchMs, trainingSeconds, usdOf } from './budget.js';

const decided = (...usd: (number | undefined)[]) =>
  usd.map((one) => ({ step: 'fit', verdict: 'go-on', reason: '', ...(one !== undefined && { usd: one }) })) as never;

it('an hour of a core costs what 1,769 MB for an hour do', () => {
  expect(usdOf(3_600_000)).toBeCloseTo((1769 / 1024) * 3_600 * 0.0000166667, 9);
});

it('what the steps before have spent is no longer there, and never less than nothing', () => {
  const left = (usd: number, ...spent: (number | undefined)[]) => leftOf({ request: { dryRun: true, usd }, decisions: decided(...spent) })!;
  expect(usdOf(left(0.5, 0.1, undefined, 0.15).cpuMs)).toBeCloseTo(0.25, 9);
  expect(left(0.5, 0.6)).toEqual({ of: 0.5, cpuMs: 0 });
  expect(leftOf({ request: { dryRun: true }, decisions: decided(0.1) })).toBeUndefined();
  // By attempts of the step under way, and not twice by those of one that is done.
  const under = (step: 'fit' | 'propose') => {
    const spent = { usd: 0.2, seconds: 9 };
    return leftOf({ request: { dryRun: true, usd: 0.5 }, decisions: decided(0.1), progress: { step, spent } })!;
  };
  expect([usdOf(under('propose').cpuMs), usdOf(under('fit').cpuMs)]).toEqual([expect.closeTo(0.2, 9), expect.closeTo(0.4, 9)]);
});

it('search and training leave something to those that follow, and learners share', () => {
  const left = { of: 1, cpuMs: 100_000 };
  expect([searchMs(left, false), searchMs(left, true)]).toEqual([80_000, 40_000]);
  expect([trainingSeconds(left, 1), trainingSeconds(left, 4)]).toEqual([80, 20]);
});
