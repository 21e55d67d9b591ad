import { describe, expect, test } from 'vitest';
import { restoredSavings, savings, type LedgerBlock } from './savings.js';
import { normal, uniform } from './testing/canaries.js';

function day(seed: number, times: number, hours = 24): LedgerBlock[] {
  const random = uniform(seed);
  const arm = (records: number, each: number) => ({
    records,
    charged: records,
    costUsd: Array.from({ length: records }, () => each * Math.exp(0.5 * normal(random))).reduce((a, b) => a + b, 0),
    latencyMs: Array.from({ length: records }, () => 1e6 * each * Math.exp(normal(random))).reduce((a, b) => a + b, 0),
  });
  return Array.from({ length: hours }, () => ({ stable: arm(1_900, 1e-4 * times), holdout: arm(100, 1e-4) }));
}
const EACH = 1e-4 * Math.exp(0.125);

describe('the ledger', () => {
  test('of 40 days holds what was really saved within the intervals, of dollars for all that ran', () => {
    const within = Array.from({ length: 40 }, (_, seed) => savings(day(seed, 0.6))).filter(
      ({ savedUsd }) => savedUsd!.low < 0.4 * EACH * 24 * 1_900 && 0.4 * EACH * 24 * 1_900 < savedUsd!.high,
    );
    expect(within.length).toBeGreaterThanOrEqual(38);
    const { records, savedUsd, savedMs, costPer1000 } = savings(day(1, 0.6));
    expect(records).toBe(24 * 1_900);
    expect([savedUsd!.low > 0, savedMs!.low > 0]).toEqual([true, true]);
    expect(costPer1000.stable! / costPer1000.holdout!).toBeCloseTo(0.6, 1);
  });

  test('shows losses as losses', () => {
    expect(savings(day(3, 1.5)).savedUsd!.high).toBeLessThan(0);
  });

  test('without a holdout says what was spent and no more', () => {
    const none = { records: 0, charged: 0, costUsd: 0, latencyMs: 0 };
    const found = savings(day(5, 1).map(({ stable }) => ({ stable, holdout: none })));
    expect(found).toEqual({ records: 24 * 1_900, costPer1000: { stable: expect.closeTo(1_000 * EACH, 2) } });
    expect(savings([])).toEqual({ records: 0, costPer1000: {} });
  });

  test('kept as JSON is restored, bounds that are not known too', () => {
    const kept = (blocks: readonly LedgerBlock[]) => restoredSavings(JSON.parse(JSON.stringify(savings(blocks))) as object);
    const [first] = day(7, 0.6);
    expect(kept([first!]).savedUsd).toMatchObject({ low: -Infinity, high: Infinity });
    for (const blocks of [[], [first!], day(7, 0.6)]) expect(kept(blocks)).toEqual(savings(blocks));
  });
});
