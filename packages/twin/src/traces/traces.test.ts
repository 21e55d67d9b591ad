import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bursts,
  constant,
  durationOf,
  expectedArrivals,
  isUsable,
  lag1Autocorrelation,
  lasting,
  minutesOf,
  profileOfCounts,
  rateAt,
  rateTrace,
  sine,
  steps,
  timestampTrace,
  warp,
  withMeanRate,
  type RateProfile,
  type Spacing,
} from './index.js';

const positive = (max: number) => fc.double({ min: 0.01, max, noNaN: true });
const piece = fc.record({
  durationMs: fc.double({ min: 1, max: 20_000, noNaN: true }),
  from: fc.oneof(fc.constant(0), positive(200)),
  to: fc.oneof(fc.constant(0), positive(200)),
});
const anyProfile = fc.array(piece, { minLength: 1, maxLength: 8 });
const arrivals = (profile: RateProfile, spacing: Spacing, seed = 1): number[] => [...rateTrace('any', profile, spacing).arrivals(seed)];

describe('arrivals of any rate', () => {
  it('ascend, stay within the duration, and are the same for the same seed only', () => {
    fc.assert(
      fc.property(anyProfile, fc.constantFrom<Spacing>('even', 'poisson'), fc.nat(), (profile, spacing, seed) => {
        const trace = rateTrace('any', profile, spacing);
        const times = [...trace.arrivals(seed)];
        expect(times.every((time, i) => time >= (times[i - 1] ?? 0) && time <= trace.durationMs + 1e-6)).toBe(true);
        expect([...trace.arrivals(seed)]).toEqual(times);
        if (spacing === 'poisson' && times.length > 3) expect([...trace.arrivals(seed + 1)]).not.toEqual(times);
      }),
    );
  });

  it('evenly spaced are as many as expected, up to every moment', () => {
    fc.assert(
      fc.property(anyProfile, fc.double({ min: 0.01, max: 1, noNaN: true }), (profile, share) => {
        const times = arrivals(profile, 'even');
        expect(Math.abs(times.length - expectedArrivals(profile))).toBeLessThanOrEqual(0.5 + 1e-6);
        const moment = share * durationOf(profile);
        const until = times.filter((time) => time < moment).length;
        expect(Math.abs(until - expectedArrivals(lasting(profile, moment)))).toBeLessThanOrEqual(0.5 + 1e-6);
      }),
    );
  });

  it('of a Poisson process have its mean and its variance', () => {
    const counts = Array.from({ length: 400 }, (_, seed) => arrivals(constant(10, 10_000), 'poisson', seed).length);
    const mean = counts.reduce((a, b) => a + b) / counts.length;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (counts.length - 1);
    // 100 each; the bounds are five standard errors.
    expect(Math.abs(mean - 100)).toBeLessThan(2.5);
    expect(Math.abs(variance - 100)).toBeLessThan(36);
  });

  it('come where the rate is', () => {
    const times = arrivals(steps([{ perSecond: 0, durationMs: 1000 }, { perSecond: 100, durationMs: 1000 }]), 'poisson'); // prettier-ignore
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1000);
  });

  it('of a rate without end are taken lazily', () => {
    const [first] = rateTrace('long', constant(1e6, 1e12), 'poisson').arrivals(1);
    expect(first).toBeLessThan(1);
  });
});

describe('shapes', () => {
  it('have the mean they are asked for', () => {
    fc.assert(
      fc.property(positive(500), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 5 }), (mean, amplitude, periods) => {
        const wave = sine({ mean, amplitude, periodMs: 7_000, durationMs: periods * 7_000 });
        expect(durationOf(wave)).toBeCloseTo(periods * 7_000, 6);
        expect(expectedArrivals(wave) / (mean * periods * 7)).toBeCloseTo(1, 2);
      }),
    );
  });

  it('rise and fall, burst and rest', () => {
    const wave = sine({ mean: 10, amplitude: 0.5, periodMs: 4000, durationMs: 4000 });
    expect([0, 1000, 3000].map((ms) => rateAt(wave, ms))).toEqual([expect.closeTo(10), expect.closeTo(15), expect.closeTo(5)]);
    const burst = bursts({ base: 2, factor: 5, everyMs: 10_000, burstMs: 1000, durationMs: 25_000 });
    expect(durationOf(burst)).toBeCloseTo(25_000, 6);
    expect([0, 4600, 5600, 14_600, 24_900].map((ms) => rateAt(burst, ms))).toEqual([2, 10, 2, 10, 10]);
  });

  it('refuse what is no rate', () => {
    for (const bad of [-1, Number.NaN, Infinity]) expect(() => constant(bad, 1000)).toThrow(RangeError);
    expect(() => constant(1, 0)).toThrow('duration');
    expect(() => sine({ mean: 1, amplitude: 1.1, periodMs: 1, durationMs: 1 })).toThrow('amplitude');
    expect(() => bursts({ base: 1, factor: 2, everyMs: 10, burstMs: 10, durationMs: 1 })).toThrow('does not fit');
  });
});

describe('warping', () => {
  it('keeps the arrivals and changes the time', () => {
    fc.assert(
      fc.property(anyProfile, positive(1000), (profile, speed) => {
        const fast = warp(profile, speed);
        expect(expectedArrivals(fast)).toBeCloseTo(expectedArrivals(profile), 5);
        expect(durationOf(fast) * speed).toBeCloseTo(durationOf(profile), 5);
      }),
    );
  });

  it('to a mean rate keeps the shape', () => {
    const scaled = withMeanRate(steps([{ perSecond: 1, durationMs: 1000 }, { perSecond: 3, durationMs: 1000 }]), 20); // prettier-ignore
    expect(scaled.map(({ from }) => from)).toEqual([10, 30]);
    expect(withMeanRate(constant(0, 1000), 5)).toEqual(constant(0, 1000));
  });

  it('to another duration cuts or repeats', () => {
    expect(expectedArrivals(lasting(constant(10, 1000), 3500))).toBeCloseTo(35, 6);
    expect(durationOf(lasting(constant(10, 1000), 300))).toBe(300);
  });
});

describe('counts of intervals', () => {
  const counts = fc.array(fc.nat(500), { minLength: 2, maxLength: 30 });
  const of = (interpolation: 'step' | 'linear' | 'noise', values: readonly number[]) =>
    profileOfCounts(values, { intervalMs: 60_000, interpolation, seed: 3 });

  it.each(['step', 'noise'] as const)('as %s keep every count', (interpolation) => {
    fc.assert(
      fc.property(counts, (values) => {
        const profile = of(interpolation, values);
        const perInterval = profile.length / values.length;
        const found = values.map((_, i) => expectedArrivals(profile.slice(i * perInterval, (i + 1) * perInterval)));
        expect(found.every((n, i) => Math.abs(n - values[i]!) < 1e-6)).toBe(true);
      }),
    );
  });

  it('as lines keep the total and have no jump', () => {
    fc.assert(
      fc.property(counts, (values) => {
        const profile = of('linear', values);
        expect(durationOf(profile)).toBe(values.length * 60_000);
        expect(expectedArrivals(profile)).toBeCloseTo(
          values.reduce((a, b) => a + b, 0),
          5,
        );
        expect(profile.slice(1).every(({ from }, i) => from === profile[i]!.to)).toBe(true);
      }),
    );
  });

  it('of a function are split by time of day, and chosen by how much there is', () => {
    const of = (perMinute: number[]) => ({ id: 'f', app: 'a', perMinute });
    const sparse = (every: number, count: number) => of(Array.from({ length: 1440 }, (_, i) => (i % every === 0 ? count : 0)));
    expect([sparse(1, 1), sparse(3, 3), sparse(4, 100), sparse(1, 0)].map(isUsable)).toEqual([true, true, false, false]);
    const day = of(Array.from({ length: 1440 }, (_, i) => i));
    expect(minutesOf(day, 'train').at(-1)).toBe(959);
    expect(minutesOf(day, 'test')).toEqual(Array.from({ length: 480 }, (_, i) => 960 + i));
    expect(lag1Autocorrelation(day.perMinute)).toBeGreaterThan(0.99);
    expect(lag1Autocorrelation([0, 9, 0, 9, 0, 9])).toBeLessThan(-0.5);
    expect(lag1Autocorrelation([4, 4, 4])).toBe(0);
  });
});

describe('a log of timestamps', () => {
  it('is kept whole, in order, faster, spread over its ticks', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 60 }), positive(10_000), fc.nat(), (minutes, speed, seed) => {
        const epoch = minutes.map((minute) => 1_291_000_000_000 + minute * 60_000);
        const trace = timestampTrace('log', epoch, { speed, tickMs: 60_000 });
        const times = [...trace.arrivals(seed)];
        expect(times.length).toBe(minutes.length);
        expect(times.every((time, i) => time >= (times[i - 1] ?? 0) && time <= trace.durationMs)).toBe(true);
        const first = Math.min(...epoch);
        const sorted = [...epoch].sort((a, b) => a - b);
        const early = (ms: number, i: number): number => ms * speed - (sorted[i]! - first);
        expect(times.every((time, i) => early(time, i) >= -1e-3 && early(time, i) < 60_000 + 1e-3)).toBe(true);
      }),
    );
  });
});
