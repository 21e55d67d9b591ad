import { expect, it } from 'vitest';
import { dollars, milliseconds, percent, perSecond, ratioOf, times } from './figures.js';

it('figures have three digits and a unit', () => {
  expect(milliseconds(84.234)).toBe('84.2 ms');
  expect(milliseconds(1234)).toBe('1.23 s');
  expect(dollars(0.000012345)).toBe('$0.0000123');
  expect(perSecond(12345.6)).toBe('12,346/s');
  expect(percent(0.288098)).toBe('28.8 %');
});

it('a ratio says which way it goes, and is a dash where there is none', () => {
  expect(times(10, 570)).toBe('×57');
  expect(times(10, 2)).toBe('÷5');
  expect([times(undefined, 2), times(0, 2), times(2, 0), milliseconds(undefined), percent(Number.NaN)]).toEqual(['–', '–', '–', '–', '–']);
  expect(ratioOf(2, 3)).toBe(1.5);
});
