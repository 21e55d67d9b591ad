import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from './histogram.js';

it('tells every quantile within 1 %, the mean and the maximum exactly', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = [...values].sort((a, b) => a - b);
      for (const q of [0, 0.5, 0.95, 0.99, 1]) {
        const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
        expect(Math.abs(histogram.quantile(q)! / exact - 1)).toBeLessThan(0.0101);
      }
      const { mean, max, count } = histogram.summary()!;
      expect([max, count]).toEqual([sorted.at(-1), values.length]);
      expect(mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 5);
    }),
  );
});

it('knows nothing of nothing', () => {
  expect(new Histogram().summary()).toBeUndefined();
  expect(() => new Histogram().record(Number.NaN)).toThrow(RangeError);
});
