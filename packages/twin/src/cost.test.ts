import { describe, expect, it } from 'vitest';
import { billedMs, costPer1000, invocationCost } from './cost.js';
import { PUBLISHED_PRICES as prices } from './prices.js';

describe('cost of an invocation', () => {
  it('is GB-seconds and a price per invocation', () => {
    expect(invocationCost({ billedMs: 1000, memoryMb: 1024 }, prices)).toBeCloseTo(0.0000166667 + 0.0000002, 15);
    expect(invocationCost({ billedMs: 100, memoryMb: 512 }, prices)).toBeCloseTo(0.05 * 0.0000166667 + 0.0000002, 15);
  });

  it('agrees with the worked example of the price list: 3 million times 120 ms at 1,536 MB, free tier not deducted', () => {
    // 3e6 × 0.12 s × 1.5 GB = 540,000 GB-s → $9.00; 3e6 requests → $0.60.
    expect(3e6 * invocationCost({ billedMs: 120, memoryMb: 1536 }, prices)).toBeCloseTo(9.6, 2);
  });

  it('bills whole milliseconds, the cold start included', () => {
    expect(billedMs({ durationMs: 0 })).toBe(0);
    expect(billedMs({ durationMs: 1.0001 })).toBe(2);
    expect(billedMs({ durationMs: 10.4, coldStartMs: 100.4 })).toBe(111);
  });
});

it('cost is told per 1,000 records, where there are records', () => {
  expect(costPer1000(0.02, 500)).toBeCloseTo(0.04, 12);
  expect(costPer1000(0.02, 0)).toBeUndefined();
});

describe('rubbish', () => {
  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('%d is refused', (value) => {
    expect(() => invocationCost({ billedMs: value, memoryMb: 128 }, prices)).toThrow(RangeError);
    expect(() => invocationCost({ billedMs: 1, memoryMb: value }, prices)).toThrow(RangeError);
    expect(() => billedMs({ durationMs: value })).toThrow('durationMs must be a finite number of at least 0');
    expect(() => costPer1000(1, value)).toThrow(RangeError);
  });
});

it('every published price names its source and its day', () => {
  for (const price of Object.values(prices)) {
    expect(price.usd).toBeGreaterThan(0);
    expect(price.source).toMatch(/https:\/\//);
    expect(price.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  }
});
