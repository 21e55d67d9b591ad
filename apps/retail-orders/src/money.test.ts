import { describe, expect, it } from 'vitest';
import { convertPence, currencyOf, parsePence } from './money.js';
import { COUNTRIES } from './data/statistics.js';
import { ratesOn } from './rates/rate-table.js';

describe('parsePence', () => {
  it.each([
    ['2.55', 255],
    ['18.0', 1800],
    ['7', 700],
    ['0.1', 10],
    ['0.29', 29], // 0.29 * 100 is 28.999999999999996
    ['1.005', 101],
    ['0.001', 0],
    ['-0.001', 0],
    ['-11062.06', -1_106_206],
    ['38970.0', 3_897_000],
  ])('%s is %i', (text, pence) => expect(parsePence(text)).toBe(pence));

  it.each(['', 'free', '1e3', '£2', '1,000.00', '.5', '--1', 'NaN'])('refuses %j', (text) => expect(parsePence(text)).toBeUndefined());
});

describe('convertPence', () => {
  it('rounds half away from zero, in the minor units of the currency', () => {
    expect(convertPence(100, 'EUR', 1_152_500)).toBe(115);
    expect(convertPence(200, 'EUR', 1_152_500)).toBe(231); // 230.5
    expect(convertPence(-200, 'EUR', 1_152_500)).toBe(-231);
    expect(convertPence(100, 'JPY', 127_900_000)).toBe(128);
    expect(convertPence(100, 'BHD', 604_600)).toBe(605);
  });
  it('is exact where floats are not', () => expect(convertPence(3000, 'EUR', 1_141_500)).toBe(3425)); // (3000 / 100) * 1.1415 * 100 rounds to 3424
});

it('every country of the file has a currency with a rate', () => {
  for (const [country] of COUNTRIES) expect(ratesOn('2011-01-04', [currencyOf(country)!]), country).not.toEqual({});
});
