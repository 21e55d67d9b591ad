import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalsOf, ratePeak, rateSeen, shapeOf, type Load } from './load.js';

/** Nine seconds without, one with all of it. */
const BURSTS: Load = {
  ratePerSecond: 20,
  shape: [
    { durationMs: 1_000, multiple: 10 },
    { durationMs: 9_000, multiple: 0 },
  ],
};
const WAVES: Load = {
  ratePerSecond: 5,
  shape: [
    { durationMs: 60_000, multiple: 0.4 },
    { durationMs: 60_000, multiple: 1.6 },
  ],
};

describe('the shape of a load', () => {
  test.each([1, 5, 300])(
    'of a steady stream of %s/s there is none but once in some fifty times, however exactly it is known',
    (ratePerSecond) => {
      const streams = Array.from({ length: 100 }, (_, seed) =>
        arrivalsOf({ ratePerSecond }, Math.min(2_000, 600 * ratePerSecond), seed + 1),
      );
      for (const known of [(ms: number) => ms, Math.floor])
        expect(streams.filter((stream) => shapeOf(stream.map(known)) !== undefined).length).toBeLessThanOrEqual(2);
    },
  );

  test('is one of finite rates and times, whatever comes when', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000_000 }), { maxLength: 60 }), fc.nat(40), (microseconds, atOnce) => {
        const moments = [...microseconds, ...new Array<number>(atOnce).fill(microseconds[0] ?? 0)].map((us) => 1.8e12 + us / 1000);
        const shape = shapeOf(moments.sort((a, b) => a - b));
        if (shape === undefined) return;
        for (const { durationMs, multiple } of shape) {
          expect(durationMs).toBeGreaterThan(0);
          expect(multiple).toBeGreaterThanOrEqual(0);
          expect(multiple).toBeLessThan(Number.POSITIVE_INFINITY);
        }
        expect(meanOf(shape)).toBeCloseTo(1, 6);
        const load = { ratePerSecond: 5, shape };
        expect(rateSeen(load)).toBeGreaterThanOrEqual(5 - 1e-9);
        expect(ratePeak(load)).toBeGreaterThanOrEqual(rateSeen(load) - 1e-9);
        expect(arrivalsOf(load, 50, 1).every((ms) => ms >= 0 && ms < Number.POSITIVE_INFINITY)).toBe(true);
      }),
    );
  });

  test('of bursts it is what they are', () => {
    const shape = shapeOf(arrivalsOf(BURSTS, 2_000, 3))!;
    expect(meanOf(shape)).toBeCloseTo(1, 9);
    const high = shape.filter(({ multiple }) => multiple > 3);
    expect(high.length).toBeGreaterThanOrEqual(9);
    for (const { durationMs, multiple } of high) {
      expect(durationMs).toBeGreaterThan(800);
      expect(durationMs).toBeLessThan(1_300);
      expect(multiple).toBeGreaterThan(6);
    }
    expect(rateSeen({ ratePerSecond: 20, shape })).toBeGreaterThan(150);
  });

  test('of slow waves as well', () => {
    const shape = shapeOf(arrivalsOf(WAVES, 1_800, 5))!;
    expect(shape.length).toBeLessThan(12);
    for (const { durationMs, multiple } of shape.slice(1, -1).filter((one) => one.durationMs > 20_000)) {
      expect(durationMs).toBeGreaterThan(45_000);
      expect(Math.min(Math.abs(multiple - 0.4), Math.abs(multiple - 1.6))).toBeLessThan(0.3);
    }
  });

  test('what comes at once is a burst of hardly any length, in which a record sees what comes within a second', () => {
    const shape = shapeOf(Array.from({ length: 301 }, (_, i) => Math.floor(i / 30) * 10_000))!;
    const high = shape.filter(({ multiple }) => multiple > 50);
    expect(high.length).toBeGreaterThanOrEqual(9);
    for (const { durationMs } of high) expect(durationMs).toBeLessThan(200);
    const counts = perSecond(arrivalsOf({ ratePerSecond: 3, shape }, 900, 1));
    expect(counts.filter((count) => count > 10).length).toBeGreaterThan(25);
    expect(rateSeen({ ratePerSecond: 3, shape })).toBeGreaterThan(20);
    expect(rateSeen({ ratePerSecond: 3, shape })).toBeLessThan(40);
    expect(ratePeak({ ratePerSecond: 3, shape })).toBeLessThan(40);
  });

  test.each([
    ['nothing', []],
    ['one arrival', [7]],
    ['several at one moment', [7, 7, 7]],
    ['two', [7, 12_345]],
  ])('%s shows none', (_, arrivals) => {
    expect(shapeOf(arrivals)).toBeUndefined();
  });
});

describe('arrivals', () => {
  test('come at the mean rate, in the shape, the same for the same seed, and begin elsewhere for another', () => {
    const arrivals = arrivalsOf(BURSTS, 4_000, 7);
    expect(arrivals).toHaveLength(4_000);
    expect(arrivals).toEqual(arrivalsOf(BURSTS, 4_000, 7));
    expect(arrivals).toEqual(arrivals.toSorted());
    expect(4_000 / (arrivals.at(-1)! / 1000)).toBeCloseTo(20, -1);
    const counts = perSecond(arrivals);
    expect(counts.filter((count) => count > 0).length / counts.length).toBeCloseTo(0.1, 1);
    expect(arrivalsOf(WAVES, 100, 8)).not.toEqual(arrivalsOf(WAVES, 100, 7));
  });

  test('of fewer records than the shape has come at the mean rate all the same', () => {
    const spans = Array.from({ length: 200 }, (_, seed) => arrivalsOf(WAVES, 100, seed + 1).at(-1)!);
    expect(spans.reduce((sum, ms) => sum + ms, 0) / spans.length).toBeCloseTo(20_000, -3.4);
  });

  test('of a steady load are a Poisson stream', () => {
    const counts = perSecond(arrivalsOf({ ratePerSecond: 10 }, 20_000, 1));
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    expect(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean).toBeCloseTo(1, 1);
  });

  test('in bursts a record sees the bursts', () => {
    expect(rateSeen({ ratePerSecond: 20 })).toBe(20);
    expect(rateSeen(BURSTS)).toBe(200);
  });
});

const meanOf = (shape: NonNullable<Load['shape']>): number =>
  shape.reduce((sum, { durationMs, multiple }) => sum + durationMs * multiple, 0) /
  shape.reduce((sum, { durationMs }) => sum + durationMs, 0);

function perSecond(arrivals: Float64Array): number[] {
  const counts = new Array<number>(Math.floor(arrivals.at(-1)! / 1000)).fill(0);
  for (const at of arrivals) {
    const second = Math.floor(at / 1000);
    if (second < counts.length) counts[second]!++;
  }
  return counts;
}
