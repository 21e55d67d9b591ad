import { shareOf } from '@autoflow/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gateKeysOf, wantedLimits, type WantedLimit } from './wanted-limits.js';

const ALLOWED = { db: 6, web: 4, both: 2 };

/** A version whose stages ask for no more of each resource than it allows. */
const version = fc.record({
  name: fc.constantFrom('v1', 'v2', 'v3'),
  db: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  web: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
});
const versions = fc.uniqueArray(version, { minLength: 1, maxLength: 3, selector: ({ name }) => name });
const hosts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 9 });

type Resource = keyof typeof ALLOWED;
const pool = (version: string, stage: string, concurrency: number, ...names: Resource[]) => ({
  ...{ pipeline: 'p', version, stage, concurrency },
  resources: names.map((name) => ({ name, concurrency: ALLOWED[name] })),
});
const poolsOf = ({ name, db, web }: { name: string; db: number[]; web: number[] }) => [
  ...db.map((concurrency, i) => pool(name, `db-${i}`, concurrency, 'db')),
  ...web.map((concurrency, i) => pool(name, `web-${i}`, concurrency, 'web')),
];
const shares = (limits: ReadonlyMap<string, WantedLimit>, hosts: readonly string[], host: string) => (key: string) =>
  shareOf({ name: key, whole: true, hosts, ...limits.get(key)! }, host);

describe('wantedLimits', () => {
  it('leaves each version, on every host, all that its stages have there', () => {
    fc.assert(
      fc.property(versions, hosts, (versions, hosts) => {
        const pools = versions.flatMap(poolsOf);
        const limits = wantedLimits(pools);
        for (const host of hosts) {
          const share = shares(limits, hosts, host);
          for (const { name } of versions)
            for (const resource of ['db', 'web'] as const) {
              const users = pools.filter((pool) => pool.version === name && pool.resources[0]?.name === resource);
              const used = users.reduce((sum, user) => sum + share(gateKeysOf(user)[0]!), 0);
              if (users.length > 0) expect(used).toBeLessThanOrEqual(share(`p/${resource}`));
            }
        }
      }),
    );
  });

  it('lets every stage run somewhere, also of several resources, and of one that another release allows less of', () => {
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 4 }), (hosts, concurrency, other) => {
        const later = { ...pool('v2', 'later', 1, 'db'), resources: [{ name: 'db', concurrency: 1 }] };
        const pools = [pool('v1', 'a', other, 'db'), pool('v1', 'b', 2, 'db'), pool('v1', 'c', concurrency, 'web', 'both', 'db'), later];
        const limits = wantedLimits(pools);
        expect(limits.get('p/db')!.limit).toBe(1);
        for (const pool of pools)
          expect(hosts.some((host) => gateKeysOf(pool).every((key) => shares(limits, hosts, host)(key) > 0))).toBe(true);
      }),
    );
  });

  it('has one gate for the memory classes of a stage, entered before those of its resources, which all enter in the same order', () => {
    const small = pool('v1', 's', 1, 'web', 'db');
    expect([...wantedLimits([small, { ...small, concurrency: 2 }])].map(([key, { limit }]) => [key, limit])).toEqual([
      ['p/web', 4],
      ['p/db', 6],
      ['p/v1/s', 2],
    ]);
    expect(gateKeysOf(small)).toEqual(['p/v1/s', 'p/db', 'p/web']);
  });
});
