import { expect, test } from 'vitest';
import { shareInterval } from './binomial.js';
import { difference, logRatio, type Pair } from './contrast.js';
import { sampleRatio } from './sample-ratio.js';
import { normal, uniform } from './testing/canaries.js';

const ALPHA = 0.05;

/** Of 300 worlds those in which the truth was outside at any of the looks. */
function misses(outside: (random: () => number) => boolean): number {
  return Array.from({ length: 300 }, (_, seed) => outside(uniform(seed + 1))).filter(Boolean).length / 300;
}

test('the interval of a share holds the truth at all looks at once, none of many included', () => {
  for (const p of [0.002, 0.3])
    expect(
      misses((random) => {
        let s = 0;
        for (let n = 1; n <= 2_000; n++) {
          if (random() < p) s++;
          if (n % 20 > 0) continue;
          const { low, high } = shareInterval(s, n, ALPHA);
          if (p < low || p > high) return true;
        }
        return false;
      }),
    ).toBeLessThanOrEqual(ALPHA);
  expect(shareInterval(0, 0, ALPHA)).toEqual({ low: 0, high: 1 });
  expect(shareInterval(7, 7, ALPHA).high).toBe(1);
  // ln(1/α) + ½ ln(πn) nats: exactly what none of n is worth.
  expect(shareInterval(0, 1_000, ALPHA).high).toBeCloseTo(-Math.expm1(-(Math.log(1 / ALPHA) + 0.5 * Math.log(Math.PI * 1_000)) / 1_000), 4);
});

test('the interval of a ratio of heavy-tailed means holds the truth at all looks at once', () => {
  const heavy = (random: () => number): number => Math.exp(normal(random)) * (0.5 + random());
  expect(
    misses((random) => {
      const pairs: Pair[] = [];
      let trouble = 0;
      for (let look = 1; look <= 150; look++) {
        trouble = 0.7 * trouble + 0.2 * normal(random);
        const arm = (times: number) => {
          const counts = 20 + Math.floor(20 * random());
          return {
            count: counts,
            sum: Array.from({ length: counts }, () => times * heavy(random) * Math.exp(trouble)).reduce((a, b) => a + b),
          };
        };
        pairs.push({ candidate: arm(2), control: arm(1) });
        const interval = look < 12 ? undefined : logRatio(pairs, { alpha: ALPHA });
        if (interval !== undefined && (Math.log(2) < interval.low || Math.log(2) > interval.high)) return true;
      }
      return false;
    }),
    // It holds as samples grow, and 300 worlds tell 5 % from 7.5 %.
  ).toBeLessThanOrEqual(0.075);
});

test('means need records on both sides, and a block on which to judge how they vary', () => {
  const one = { sum: 1, count: 1 };
  expect(difference([{ candidate: one, control: { sum: 0, count: 0 } }], { alpha: ALPHA })).toBeUndefined();
  expect(logRatio([{ candidate: { sum: 0, count: 5 }, control: one }], { alpha: ALPHA })).toBeUndefined();
  const unknown = { low: -Infinity, high: Infinity };
  expect(difference([{ candidate: one, control: one }], { alpha: ALPHA })).toEqual({ estimate: 0, ...unknown });
  const none = { sum: 0, count: 0 };
  const apart = [
    { candidate: { sum: 2, count: 1 }, control: none },
    { candidate: none, control: one },
  ];
  expect(difference(apart, { alpha: ALPHA })).toEqual({ estimate: 1, ...unknown });
});

test('the check of the sample ratio seldom alarms without cause, at whatever share, and finds what is lost', () => {
  for (const share of [0.5, 0.95])
    expect(
      misses((random) => {
        let ours = 0;
        for (let n = 1; n <= 3_000; n++) {
          if (random() < share) ours++;
          if (n % 50 === 0 && sampleRatio(ours, n - ours, share).mismatch) return true;
        }
        return false;
      }),
    ).toBeLessThanOrEqual(0.01);
  expect(sampleRatio(4_500, 5_000, 0.5).mismatch).toBe(true);
  expect(sampleRatio(0, 0, 0.5)).toEqual({ expected: 0.5, observed: 0.5, mismatch: false });
});
