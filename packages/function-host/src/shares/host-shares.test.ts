import { useTestStack } from '@autoflow/local-stack/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHostBench, type HostBench } from '../testing/host-bench.js';
import type { ShareDivider, ShareHolder } from './contract.js';

const stack = useTestStack();

describe('a host of a fleet', () => {
  /** Says what each gate may have; hands out nothing until it is told. */
  class Divider implements ShareDivider {
    share = 0;
    withheld: string | undefined;
    holder!: ShareHolder;
    attach(holder: ShareHolder): void {
      this.holder = holder;
    }
    async renew(): Promise<void> {
      const limits = this.holder
        .claims()
        .flatMap(({ name, want }) => (want ? [[name, name === this.withheld ? 0 : this.share] as const] : []));
      this.holder.granted(new Map(limits), performance.now() + 60_000);
    }
  }
  const shares = new Divider();
  let member: HostBench;
  beforeAll(
    async () => void (member = await createHostBench({ temporal: stack.temporal, folder: stack.folder, module: 'trouble', shares })),
  );
  afterAll(() => member.close());
  const shareIs = async (share: number): Promise<void> => {
    shares.share = share;
    await shares.renew();
  };

  it('runs no pool without a share, its share with one, and hands back what it had fetched', async () => {
    const [pool, larger] = [member.pool({ concurrency: 4 }), member.pool({ concurrency: 4, memoryMb: 512 })];
    await member.desired.set([pool, larger], (now) => now.length === 0);
    const input = await member.batch([{ id: '1', mode: 'busy', amount: 400 }]);
    const handles = await Promise.all(
      [pool, larger, pool, larger].map((to) => member.dispatch(to, input, { nodes: ['keep-wanted', 'devour'] })),
    );
    const running = member.desired.until(
      (now) => now.length === 2 && now.every(({ concurrency, instances }) => concurrency === 1 && instances >= 0),
    );
    await shareIs(1);
    await running;
    // Both pools fetch, one of the two runs at a time: memory classes of a stage share its gate.
    await handles[0]!.result();
    expect(shares.holder.claims()).toMatchObject([{ name: 'gate/trouble/v1/stage', held: 1, want: { limit: 4, whole: true } }]);
    const gone = member.desired.until((now) => now.length === 0);
    await shareIs(0);
    await gone;
    await shareIs(2);
    await Promise.all(handles.map((handle) => handle.result()));
    const rows = handles.flatMap((handle) => member.rowsOf(handle));
    expect(rows.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('begins nothing when its grant is over, and goes on with the next', async () => {
    const pool = member.pool({ concurrency: 4 });
    await shareIs(2);
    await member.desired.set([pool], (now) => now.length === 1);
    shares.holder.granted(new Map(), performance.now());
    await expect.poll(() => member.logs.join('\n')).toContain('the lease of this host is over');
    const handle = await member.dispatch(pool, await member.batch([{ id: '1', mode: 'ok', amount: 0 }]), { nodes: ['act'] });
    expect(shares.holder.claims()).toMatchObject([{ held: 0 }]);
    expect(member.rowsOf(handle)).toEqual([]);
    await shareIs(2);
    await handle.result();
  });

  it('uses a limited resource no more than it may, whatever versions and stages do so, and not at all without a share of it', async () => {
    await shareIs(1);
    const resources = [{ name: 'turnstile', concurrency: 1 }];
    const pools = ['v2', 'v3'].map((version) => member.pool({ version, resources, concurrency: 1 }));
    await member.desired.set(pools);
    const input = await member.batch([{ id: '1', mode: 'alone', amount: 150 }]);
    const handles = await Promise.all([...pools, ...pools].map((to) => member.dispatch(to, input, { nodes: ['devour'] })));
    await Promise.all(handles.map((handle) => handle.result()));
    const rows = handles.flatMap((handle) => member.rowsOf(handle));
    expect(rows.map(({ outcome, recordsOut, retried }) => [outcome, recordsOut, retried])).toEqual(Array(4).fill(['ok', 1, 0]));
    const gone = member.desired.until((now) => now.every(({ concurrency }) => concurrency === 0));
    shares.withheld = 'gate/trouble/turnstile';
    await shares.renew();
    await gone;
  });
});
