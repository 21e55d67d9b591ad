import { expect, it } from 'vitest';
import { ratioOf, shown, times } from './figures.js';

it('a ratio says which way it goes, and is a dash where there is none', () => {
  expect(times(10, 570)).toBe('×57');
  expect(times(10, 2)).toBe('÷5');
  expect([times(undefined, 2), times(0, 2), times(2, 0)]).toEqual(['–', '–', '–']);
  expect(ratioOf(2, 3)).toBe(1.5);
});

it('a figure that was not measured is a dash', () => {
  expect([undefined, Number.NaN, 0].map((value) => shown(String, value))).toEqual(['–', '–', '0']);
});
