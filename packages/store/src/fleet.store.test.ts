import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LEASE_MS, type HostIdentity, type ShareClaim } from './fleet.model.js';
import { useTestStore } from './testing/fixtures.js';

const LIMIT = 7;

/** What a host does with a limit: it uses what it was granted, and some of it a little longer than that. */
class FakeHost {
  readonly identity: HostIdentity;
  granted = 0;
  /** Under way. */
  using = 0;
  constructor(host: string) {
    this.identity = { host, incarnation: randomUUID(), roles: ['functions'], version: '1' };
  }
  get held(): number {
    return Math.max(this.granted, this.using);
  }
  claim(limit = LIMIT): ShareClaim {
    return { name: 'gate/p/v1/s', held: this.held, want: { limit, whole: true } };
  }
}

describe('the fleet', () => {
  const context = useTestStore();
  const fleet = () => context.store.fleet;
  const beat = async (host: FakeHost, limit?: number): Promise<number> => {
    const { grants } = await fleet().beat(host.identity, [host.claim(limit)]);
    return (host.granted = grants.get('gate/p/v1/s')!);
  };
  /** As if its lease were over. */
  const expire = (host: FakeHost) =>
    context.sql.query(`update autoflow.hosts set seen_at = seen_at - interval '1 minute' where host = $1`, [host.identity.host]);
  const names = async () => (await fleet().hosts()).map(({ host }) => host);
  let heard: (string | undefined)[];
  let silence: () => Promise<void>;
  beforeEach(async () => {
    await context.sql.query('delete from autoflow.hosts');
    heard = [];
    silence = await context.store.listen('autoflow_hosts', (host) => heard.push(host));
  });
  afterEach(() => silence());
  /** Heard in order of commits: when this one has come, so have all before it. */
  const allHeard = async () => {
    const last = new Promise<void>((resolve) => {
      void context.store
        .listen('autoflow_hosts', (host) => host === 'last' && resolve())
        .then(() => context.sql.query(`select pg_notify('autoflow_hosts', 'last')`));
    });
    await last;
    return heard.filter((host) => host !== 'last');
  };

  test('a host is listed with its pools while its lease lasts, and forgotten with them', async () => {
    const [a, b] = [new FakeHost('a'), new FakeHost('b')];
    const told = { enforcement: 'soft', bounds: { p: { stable: 8, 'candidate v2': 2 } } } as const;
    await fleet().beat({ ...a.identity, ...told }, []);
    await beat(b);
    const pool = { pipeline: 'p', version: 'v1', stage: 's', memoryMb: 128, concurrency: 2, instances: 1 };
    await context.store.hosts.acknowledge('a', [pool]);
    expect(await fleet().hosts()).toEqual([
      { ...a.identity, ...told, startedAt: expect.any(Date), seenAt: expect.any(Date), pools: [pool] },
      { ...b.identity, startedAt: expect.any(Date), seenAt: expect.any(Date), pools: [] },
    ]);
    await expire(a);
    expect(await names()).toEqual(['b']);
    await beat(b);
    expect((await context.sql.query('select host from autoflow.hosts')).rows).toEqual([{ host: 'b' }]);
    expect(await context.store.hosts.acknowledged('p')).toEqual([]);
    await fleet().leave(b.identity);
    await fleet().leave(b.identity);
    expect(await names()).toEqual([]);
  });

  test('a name belongs to one process, until its lease is over', async () => {
    const [first, second] = [new FakeHost('same'), new FakeHost('same')];
    await beat(first);
    await expect(beat(second)).rejects.toMatchObject({
      code: 'HOST_TAKEN',
      retryable: true,
      message: expect.stringContaining('AUTOFLOW_HOST'),
    });
    await fleet().leave(second.identity);
    expect(await names()).toEqual(['same']);
    await expire(first);
    await beat(second);
    await expect(beat(first)).rejects.toMatchObject({ code: 'HOST_TAKEN' });
  });

  test('a host knows when the next lease of another one is over', async () => {
    const [a, b, c] = [new FakeHost('a'), new FakeHost('b'), new FakeHost('c')];
    expect(await fleet().beat(a.identity, [])).toEqual({ grants: new Map() });
    await fleet().beat(b.identity, []);
    await fleet().beat(c.identity, []);
    await context.sql.query(`update autoflow.hosts set seen_at = clock_timestamp() + interval '1 minute' where host in ('b', 'c')`);
    await context.sql.query(`update autoflow.hosts set seen_at = seen_at - interval '30 seconds' where host = 'c'`);
    const { nextEndMs = NaN } = await fleet().beat(a.identity, []);
    expect(nextEndMs).toBeLessThanOrEqual(30_000 + LEASE_MS);
    expect(nextEndMs).toBeGreaterThan(0);
  });

  test('a larger share is granted when the others hold less, have left, or have lost their lease', async () => {
    const [a, b, c] = [new FakeHost('a'), new FakeHost('b'), new FakeHost('c')];
    expect(await beat(a)).toBe(LIMIT);
    a.using = 5;
    expect(await beat(b)).toBe(0);
    const lowered = await beat(a);
    expect([3, 4]).toContain(lowered);
    expect(await beat(b), 'five are under way still').toBe(0);
    await beat(a);
    expect(await beat(b)).toBe(LIMIT - 5);
    a.using = 0;
    await beat(a);
    expect(await beat(b)).toBe(LIMIT - lowered);
    await beat(c);
    for (const host of [a, b, c, a, b, c]) await beat(host);
    expect(a.granted + b.granted + c.granted).toBe(LIMIT);
    await fleet().leave(a.identity);
    await expire(b);
    expect(await beat(c)).toBe(LIMIT);
  });

  test('others are told when something may change for them, and else left alone', async () => {
    const [a, b] = [new FakeHost('a'), new FakeHost('b')];
    await beat(a);
    await beat(a);
    await beat(b);
    await beat(a);
    await beat(a);
    await beat(b);
    await beat(b);
    await beat(a);
    await fleet().leave(a.identity);
    expect(await allHeard()).toEqual(['a', 'b', 'a', 'a']);
  });

  test('a host that only ends what it had begun counts with what it holds, and gets nothing', async () => {
    const [a, b] = [new FakeHost('a'), new FakeHost('b')];
    await beat(a);
    const { name } = a.claim();
    expect((await fleet().beat(a.identity, [{ name, held: 2 }])).grants).toEqual(new Map());
    expect(await beat(b)).toBe(LIMIT - 2);
    await fleet().beat(a.identity, []);
    expect(await beat(b)).toBe(LIMIT);
  });

  test('whatever comes, goes, stalls and works: together they never hold more than the limit, and in the end all of it', async () => {
    const event = fc.record({ host: fc.nat(3), what: fc.constantFrom('beat', 'beat', 'beat', 'work', 'end', 'leave', 'expire') });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        await context.sql.query('delete from autoflow.hosts');
        const hosts = ['h0', 'h1', 'h2', 'h3'].map((name) => new FakeHost(name));
        for (const { host: index, what } of events) {
          const host = hosts[index]!;
          if (what === 'beat') await beat(host);
          if (what === 'work') host.using = Math.max(host.using, host.granted);
          if (what === 'end') host.using = Math.max(0, host.using - 1);
          if (what === 'leave') await fleet().leave(host.identity);
          if (what === 'expire') await expire(host);
          if (what === 'leave' || what === 'expire') host.using = host.granted = 0;
          expect(hosts.reduce((sum, { held }) => sum + held, 0)).toBeLessThanOrEqual(LIMIT);
        }
        for (const host of hosts) host.using = 0;
        for (let round = 0; round < 5; round++) for (const host of hosts) await beat(host);
        expect(hosts.reduce((sum, { granted }) => sum + granted, 0)).toBe(LIMIT);
      }),
      { numRuns: 20 },
    );
  });

  test('hosts that beat at the same time do not both take what is free', async () => {
    const hosts = Array.from({ length: 6 }, (_, i) => new FakeHost(`same-time-${i}`));
    for (let round = 0; round < 4; round++) {
      await Promise.all(hosts.map((host) => beat(host)));
      expect(hosts.reduce((sum, { granted }) => sum + granted, 0)).toBeLessThanOrEqual(LIMIT);
    }
    expect(hosts.reduce((sum, { granted }) => sum + granted, 0)).toBe(LIMIT);
  });
});
