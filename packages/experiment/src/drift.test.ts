import { describe, expect, test } from 'vitest';
import { drift, DRIFT, type WorkloadBlock, type WorkloadPair } from './drift.js';
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

const beside = (then: readonly WorkloadBlock[], now: readonly WorkloadBlock[]): WorkloadPair[] =>
  now.map((block, i) => ({ then: then[i]!, now: block }));

describe('a workload', () => {
  test('that changes within the band is seldom called drifted, with a look after every block', () => {
    const alarms = Array.from({ length: 100 }, (_, seed) => {
      const random = uniform(seed);
      const pairs = beside(workload(random, 60), workload(random, 60, { rate: 115, bytes: 2_200 }));
      return pairs.some((_, i) => drift(pairs.slice(0, i + 1)).drifted);
    });
    expect(alarms.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  test.each([
    ['three times the rate', { rate: 300 }, 'rate is '],
    ['a third of it', { rate: 33 }, 'rate is 0.3'],
    ['larger records', { bytes: 3_000 }, 'bytes is 1.'],
  ])('of %s has drifted, and it is said in what', (_, change, reason) => {
    const random = uniform(7);
    const found = drift(beside(workload(random, 60), workload(random, 60, change)));
    expect(found.reasons).toEqual([expect.stringContaining(reason)]);
  });

  test.each([0, 15])('of which records have been larger since block %i is said to have drifted since then, or nearly', (since) => {
    const random = uniform(11);
    const now = [...workload(random, since), ...workload(random, 60 - since, { bytes: 8_000 })];
    const found = drift(beside(workload(random, 60), now));
    expect(found.drifted).toBe(true);
    expect(Math.abs(found.since! - since)).toBeLessThanOrEqual(1);
  });

  test('of which too little is known, or that has other features, has not', () => {
    const random = uniform(9);
    expect(drift(beside(workload(random, 60), workload(random, 11, { rate: 900 })))).toEqual({ drifted: false, features: [], reasons: [] });
    const other = drift(beside(workload(random, 60), workload(random, 60, { of: 'other' })));
    expect(other.features.map(({ feature }) => feature)).toEqual(['rate']);
  });

  test('of which little is known is called drifted no oftener: 50,000 looks at a dozen pairs each, at the edge of the band', () => {
    const random = uniform(5);
    const block = (rate: number): WorkloadBlock => ({ rate: { sum: rate * (1 + 0.2 * normal(random)), count: 1 } });
    const settings = { ...DRIFT, alpha: 0.001, looks: 1 };
    let alarms = 0;
    for (let look = 0; look < 50_000; look++) {
      const pairs = Array.from({ length: 12 }, (): WorkloadPair => ({ then: block(100), now: block(200) }));
      if (drift(pairs, settings).drifted) alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(50);
  });
});
