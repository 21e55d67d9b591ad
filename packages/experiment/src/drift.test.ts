import { describe, expect, test } from 'vitest';
import { drift, type WorkloadBlock } from './drift.js';
import { normal, uniform } from './testing/canaries.js';

/** Blocks of a workload: records come at a rate that wavers, and each has a size. */
function workload(random: () => number, n: number, { rate = 100, bytes = 2_000, of = 'bytes' } = {}): WorkloadBlock[] {
  let mood = 0;
  return Array.from({ length: n }, () => {
    mood = 0.6 * mood + 0.1 * normal(random);
    const records = Math.max(1, Math.round(rate * Math.exp(mood)));
    const sum = Array.from({ length: records }, () => bytes * Math.exp(0.7 * normal(random))).reduce((a, b) => a + b);
    return { rate: { sum: records, count: 1 }, [of]: { sum, count: records } };
  });
}

describe('a workload', () => {
  test('that changes within the band is seldom called drifted, with a look after every block', () => {
    const alarms = Array.from({ length: 100 }, (_, seed) => {
      const random = uniform(seed);
      const then = workload(random, 60);
      const now = workload(random, 60, { rate: 115, bytes: 2_200 });
      return now.some((_, i) => drift(then, now.slice(0, i + 1)).drifted);
    });
    expect(alarms.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  test.each([
    ['three times the rate', { rate: 300 }, 'rate is '],
    ['a third of it', { rate: 33 }, 'rate is 0.3'],
    ['larger records', { bytes: 3_000 }, 'bytes is 1.'],
  ])('of %s has drifted, and it is said in what', (_, change, reason) => {
    const random = uniform(7);
    const found = drift(workload(random, 60), workload(random, 60, change));
    expect(found.reasons).toEqual([expect.stringContaining(reason)]);
  });

  test.each([0, 15])('of which records have been larger since block %i is said to have drifted since then, or nearly', (since) => {
    const random = uniform(11);
    const now = [...workload(random, since), ...workload(random, 60 - since, { bytes: 8_000 })];
    const found = drift(workload(random, 60), now);
    expect(found.drifted).toBe(true);
    expect(Math.abs(found.since! - since)).toBeLessThanOrEqual(1);
  });

  test('of which too little is known, or that has other features, has not', () => {
    const random = uniform(9);
    expect(drift(workload(random, 60), workload(random, 11, { rate: 900 }))).toEqual({ drifted: false, features: [], reasons: [] });
    expect(drift(workload(random, 60), workload(random, 60, { of: 'other' })).features.map(({ feature }) => feature)).toEqual(['rate']);
  });
});
