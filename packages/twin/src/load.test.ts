import { describe, expect, test } from 'vitest';
import { arrivalsOf, rateSeen, shapeOf, type Load } from './load.js';

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
  test('of a steady stream there is none but once in some fifty times, however fast it is', () => {
    for (const ratePerSecond of [0.1, 5, 300]) {
      const told = Array.from({ length: 200 }, (_, seed) => shapeOf(arrivalsOf({ ratePerSecond }, 300, seed + 1)));
      expect(told.filter((one) => one !== undefined).length).toBeLessThan(200 / 25);
    }
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

  test('what comes at once is a burst of hardly any length', () => {
    const shape = shapeOf(Array.from({ length: 300 }, (_, i) => Math.floor(i / 30) * 10_000))!;
    const high = shape.filter(({ multiple }) => multiple > 100);
    expect(high).toHaveLength(10);
    for (const { durationMs } of high) expect(durationMs).toBeLessThan(2);
    const counts = perSecond(arrivalsOf({ ratePerSecond: 3, shape }, 900, 1));
    expect(counts.filter((count) => count > 10).length).toBeGreaterThan(25);
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
