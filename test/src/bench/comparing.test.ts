import { expect, it } from 'vitest';
import { compared, welch } from './compared.js';
import { regress } from './regression.js';
import { criticalT, twoSided } from './student.js';

it("knows Student's t: the quantiles of the tables", () => {
  for (const [freedom, t] of [[1, 12.7062], [2, 4.30265], [8, 2.306], [30, 2.04227], [1000, 1.96234]] as const) {
    expect(criticalT(0.05, freedom)).toBeCloseTo(t, 4);
    expect(twoSided(t, freedom)).toBeCloseTo(0.05, 5);
  } // prettier-ignore
  expect(twoSided(0, 3)).toBe(1);
});

it('tests two means as Welch did', () => {
  // The values of the usual example: t = −2.46, ν = 25.0, p = 0.021.
  const a = [27.5, 21, 19, 23.6, 17, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19, 21.7, 21.4];
  const b = [27.1, 22, 20.8, 23.4, 23.4, 23.5, 25.8, 22, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
  const found = welch(a, b)!;
  expect([found.t.toFixed(2), found.freedom.toFixed(1), found.p.toFixed(3)]).toEqual(['-2.46', '25.0', '0.021']);
  expect(welch([1], [2, 3])).toBeUndefined();
  expect(welch([2, 2], [2, 2])!.p).toBe(1);
});

it('gives a ratio with an interval that is wide where there are few repetitions', () => {
  const few = compared([100, 120], [10, 11])!;
  const many = compared([100, 120, 100, 120, 100, 120], [10, 11, 10, 11, 10, 11])!;
  expect(few.ratio).toBeCloseTo(10.44, 1);
  expect(few.low!).toBeLessThan(many.low!);
  expect(many.low!).toBeGreaterThan(8);
  expect(compared([5], [1])).toEqual({ ratio: 5, ours: [5], theirs: [1] });
  expect(compared([0], [1])).toBeUndefined();
  expect(compared([4, 4], [2, 2])).toMatchObject({ low: 2, high: 2 });
});

it('finds the coefficients that made the values, and leaves out what says nothing of its own', () => {
  const x = Array.from({ length: 60 }, (_, i) => [i % 7, (i * 13) % 11, 2 * (i % 7), 5]);
  const y = x.map(([a, b], i) => 3 + 2 * a! - 0.5 * b! + (i % 2 === 0 ? 0.1 : -0.1));
  const found = regress(['a', 'b', 'twice a', 'constant five'], x, y)!;
  expect(found.coefficients.map(({ name }) => name)).toEqual(['constant', 'a', 'b']);
  expect(found.coefficients[1]!.value).toBeCloseTo(2, 1);
  expect(found.coefficients[2]!.value).toBeCloseTo(-0.5, 1);
  expect(found.r2).toBeGreaterThan(0.99);
  expect(Math.abs(found.coefficients[1]!.value - 2)).toBeLessThan(found.coefficients[1]!.halfWidth);
  expect(regress(['a'], [[1], [2]], [1, 2])).toBeUndefined();
});
