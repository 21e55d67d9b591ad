import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantOf, shareOf } from './fleet-shares.js';

const hostNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });

describe('shareOf', () => {
  it('gives out the whole limit and no more, evenly, whoever computes it', () => {
    fc.assert(
      fc.property(hostNames, fc.nat(40), fc.string(), (hosts, limit, name) => {
        const shares = hosts.map((host) => shareOf({ name, limit, whole: true, hosts }, host));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(limit);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(hosts.map((host) => shareOf({ name, limit, whole: true, hosts: hosts.toReversed() }, host))).toEqual(shares);
      }),
    );
  });

  it('divides a rate into equal parts', () => {
    expect(shareOf({ name: 'r', limit: 20, whole: false, hosts: ['a', 'b', 'c'] }, 'b')).toBeCloseTo(20 / 3);
  });

  it('gives nothing to a host that is none of them', () => {
    expect(shareOf({ name: 'r', limit: 20, whole: true, hosts: ['a'] }, 'b')).toBe(0);
  });

  it('spreads remainders: no host gets those of all pools', () => {
    const hosts = ['worker-1', 'worker-2', 'worker-3'];
    const ones = hosts.map((host) =>
      Array.from({ length: 300 }, (_, i) => shareOf({ name: `p/v1/stage-${i}`, limit: 1, whole: true, hosts }, host)).reduce(
        (a, b) => a + b,
      ),
    );
    for (const count of ones) expect(count).toBeGreaterThan(60);
  });
});

describe('grantOf', () => {
  it('lowers at once, and raises only into what the others have let go', () => {
    expect(grantOf({ limit: 6, share: 2, held: 6, others: 6 })).toBe(2);
    expect(grantOf({ limit: 6, share: 3, held: 0, others: 6 })).toBe(0);
    expect(grantOf({ limit: 6, share: 3, held: 1, others: 4 })).toBe(2);
    expect(grantOf({ limit: 6, share: 3, held: 1, others: 2 })).toBe(3);
    expect(grantOf({ limit: 2, share: 1, held: 0, others: 5 })).toBe(0);
  });
});
