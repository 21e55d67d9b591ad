import { grantOf, shareOf } from '@autoflow/topology';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ShareDivider, ShareHolder } from './contract.js';
import { FleetShares } from './fleet-shares.js';

const LEASE_MS = 3_500;

/** Divides as the store does, in one process: every host's turn comes once a second. */
class Fleet {
  readonly held = new Map<ShareHolder, Map<string, { amount: number; wanted: boolean }>>();

  divider(): ShareDivider {
    let holder: ShareHolder;
    return {
      attach: (given) => {
        holder = given;
        this.held.set(holder, new Map());
      },
      renew: async () => this.beat(holder),
    };
  }

  beat(holder: ShareHolder): void {
    const claims = holder.claims();
    const limits = claims.flatMap(({ name, held, want }) => {
      if (want === undefined) return [];
      const others = [...this.held].filter(([other, holds]) => other !== holder && holds.has(name));
      const hosts = ['me', ...others.filter(([, holds]) => holds.get(name)!.wanted).map((_, i) => `other-${i}`)];
      const share = shareOf({ name, ...want, hosts }, 'me');
      const taken = others.reduce((sum, [, holds]) => sum + holds.get(name)!.amount, 0);
      return [[name, grantOf({ limit: want.limit, share, held, others: taken })] as const];
    });
    const granted = new Map(limits);
    this.held.set(
      holder,
      new Map(claims.map(({ name, held, want }) => [name, { amount: Math.max(held, granted.get(name) ?? 0), wanted: want !== undefined }])),
    );
    holder.granted(granted, performance.now() + LEASE_MS);
  }
}

describe('FleetShares', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const by = { pipeline: 'p', release: 'r1' };
  const uses = [{ resource: 'service', perSecond: 20 }];

  it('keeps to the rate of a resource in every second, and nearly reaches it, while hosts come and go', async () => {
    const fleet = new Fleet();
    const used: number[] = [];
    const hosts = new Map<FleetShares, { working: boolean; beat: NodeJS.Timeout }>();
    const join = (): FleetShares => {
      const shares = new FleetShares(fleet.divider(), () => {});
      const state = { working: true, beat: setInterval(() => fleet.beat(shares), 1_000) };
      hosts.set(shares, state);
      const work = async (): Promise<void> => {
        while (state.working) {
          await shares.use(by, uses, new AbortController().signal);
          used.push(performance.now());
        }
      };
      void work();
      void work();
      return shares;
    };
    /** Killed: it says nothing any more; the others learn of it when its lease is over. */
    const kill = (shares: FleetShares): void => {
      const state = hosts.get(shares)!;
      state.working = false;
      clearInterval(state.beat);
      setTimeout(() => fleet.held.delete(shares), LEASE_MS);
    };
    const first = join();
    await vi.advanceTimersByTimeAsync(20_000);
    join();
    await vi.advanceTimersByTimeAsync(700);
    join();
    await vi.advanceTimersByTimeAsync(20_000);
    kill(first);
    await vi.advanceTimersByTimeAsync(20_000);

    for (const [i, from] of used.entries()) {
      const within = used.slice(i).filter((at) => at < from + 1_000).length;
      expect(within).toBeLessThanOrEqual(20 + 20 / 3);
    }
    expect(used.length).toBeGreaterThan(20 * 60 * 0.85);
    for (const [shares] of hosts) kill(shares);
  });

  it('asks for a rate that is first used late in the life of the host, and gives it up after some idle time', async () => {
    const shares = new FleetShares(new Fleet().divider(), () => {});
    await vi.advanceTimersByTimeAsync(60_000);
    const use = shares.use(by, uses, new AbortController().signal);
    expect(shares.claims()).toMatchObject([{ name: 'rate/p/service', want: { limit: 20, whole: false } }]);
    await vi.advanceTimersByTimeAsync(1_000);
    await use;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shares.claims()).toEqual([]);
  });

  it.each([
    ['divided', () => new Fleet().divider()],
    ['whole', () => undefined],
  ])(
    'follows the most careful release of those that use a resource, and a raised rate when the one before has ended: %s',
    async (_, divider) => {
      const divided = divider();
      const shares = new FleetShares(divided, () => {});
      const beat = setInterval(() => void divided?.renew(), 1_000);
      /** In the last of so many seconds of steady use. */
      const used = async (seconds: number, ...rates: readonly (readonly [release: string, perSecond: number])[]): Promise<number> => {
        const [giving, from] = [new AbortController(), performance.now() + (seconds - 1) * 1_000];
        let count = 0;
        const work = async (release: string, perSecond: number): Promise<void> => {
          for (;;) {
            await shares.use({ pipeline: 'p', release }, [{ resource: 'service', perSecond }], giving.signal);
            if (performance.now() >= from) count++;
          }
        };
        const working = Promise.allSettled(rates.map((rate) => work(...rate)));
        await vi.advanceTimersByTimeAsync(seconds * 1_000);
        giving.abort(new Error('enough'));
        await working;
        return count;
      };
      expect(await used(5, ['r1', 10])).toBeLessThanOrEqual(11);
      expect(await used(5, ['r1', 10], ['r2', 50])).toBeLessThanOrEqual(11);
      expect(await used(13, ['r2', 50])).toBeGreaterThanOrEqual(45);
      expect(await used(3, ['r2', 50], ['r3', 5])).toBeLessThanOrEqual(6);
      clearInterval(beat);
      shares.close();
    },
  );

  it('takes a rate whole when nobody divides it', async () => {
    const shares = new FleetShares(undefined, () => {});
    const all = Promise.all(Array.from({ length: 21 }, () => shares.use(by, uses, new AbortController().signal)));
    await vi.advanceTimersByTimeAsync(1_100);
    await all;
  });

  it('begins nothing after its grant, also before its timers have run', async () => {
    const shares = new FleetShares(new Fleet().divider(), () => {});
    await shares.want(new Map([['p/v1/s', { limit: 2 }]]));
    expect(shares.limitOf('p/v1/s')).toBe(2);
    // As after a pause of the whole process: time has passed, timers have not run.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + LEASE_MS);
    let entered = false;
    void shares
      .gate('p/v1/s')
      .enter(new AbortController().signal)
      .then(
        () => (entered = true),
        () => {},
      );
    await Promise.resolve();
    expect([entered, shares.lapsed]).toEqual([false, true]);
    vi.restoreAllMocks();
  });
});
