import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Enforcement } from '@autoflow/store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cgroupV1 } from './cgroup-v1.js';
import { cgroupV2 } from './cgroup-v2.js';
import { killMembers, removeGroup } from './control-groups.js';
import { createEnforcer } from './detect.js';
import { cpuQuotaUs, type Enforcer } from './enforcer.js';

const GLUTTON = `process.on('message', () => { const kept = []; for (;;) kept.push(Buffer.alloc(4 << 20, 1)); });`;
const SPINNER = `process.on('message', () => { while (process.cpuUsage().user + process.cpuUsage().system < 400_000); process.send('done'); });`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-enforcement-'));
  await writeFile(join(folder, 'glutton.cjs'), GLUTTON);
  await writeFile(join(folder, 'spinner.cjs'), SPINNER);
});
afterAll(() => rm(folder, { recursive: true }));

const started = (name: string): ChildProcess => fork(join(folder, name), { execArgv: [] });
const detected = createEnforcer('detect');
const kinds: Enforcement[] = detected.kind === 'soft' ? ['soft'] : [detected.kind, 'soft'];

describe.each(kinds)('enforcement by %s', (kind) => {
  let enforcer: Enforcer;
  beforeAll(() => void (enforcer = createEnforcer(kind)));
  afterAll(() => enforcer.close());

  it('kills a process that takes more memory than its limit, and knows why it died', async () => {
    const child = started('glutton.cjs');
    const confinement = enforcer.confine(child.pid!, 128);
    child.send('go');
    const [, signal] = (await once(child, 'exit')) as [number, string];
    expect(signal).toBe('SIGKILL');
    expect(confinement.ranOutOfMemory()).toBe(true);
    confinement.release();
  });

  it('tells another kill from lack of memory', async () => {
    const child = started('glutton.cjs');
    const confinement = enforcer.confine(child.pid!, 128);
    confinement.kill();
    await once(child, 'exit');
    expect(confinement.ranOutOfMemory()).toBe(false);
    confinement.release();
    confinement.kill();
  });
});

describe('a group', () => {
  it('that cannot be removed is logged in the end, and throws nothing', async () => {
    const stuck = join(folder, 'stuck');
    await mkdir(stuck);
    await writeFile(join(stuck, 'file'), '');
    const logged = await new Promise((resolve) => removeGroup([stuck], (_, message) => resolve(message), [1, 1]));
    expect(logged).toMatch(/control group stays behind: ENOTEMPTY/);
  });

  it('ends its members alone: 0 stands for those of another namespace', async () => {
    await writeFile(join(folder, 'cgroup.procs'), '0\n-1\n4194304\n');
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
    killMembers([folder]);
    expect(kill.mock.calls.map(([pid]) => pid)).toEqual([4194304]);
    kill.mockRestore();
  });
});

describe('createEnforcer', () => {
  it('says how and why, and refuses a kind that cannot be had', () => {
    expect(detected.why).not.toBe('');
    const missing = (['cgroup-v1', 'cgroup-v2'] as const).find((kind) => kind !== detected.kind)!;
    const has = (missing === 'cgroup-v1' ? cgroupV1() : cgroupV2()) !== undefined;
    if (!has) expect(() => createEnforcer(missing)).toThrow(`Limits by ${missing} were asked for`);
  });

  // Without cgroups nothing throttles: the host says so, and every instance has whole cores.
  it.skipIf(detected.kind === 'soft')('slows a throttled process down to the share of its memory, and removes its groups', async () => {
    const layout = detected.kind === 'cgroup-v1' ? cgroupV1()! : cgroupV2()!;
    const groups = (): string[] =>
      layout.parents.flatMap((parent) => readdirSync(parent)).filter((name) => name.startsWith(`autoflow-${process.pid}-`));
    const child = started('spinner.cjs');
    const confinement = detected.confine(child.pid!, 256);
    confinement.throttle();
    expect(groups()).not.toEqual([]);
    child.send('go');
    await once(child, 'message');
    const statistics = join(layout.parents.at(-1)!, groups()[0]!, 'cpu.stat');
    const throttled = Number(/^nr_throttled (\d+)/m.exec(readFileSync(statistics, 'utf8'))?.[1]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    confinement.release();
    expect(throttled).toBeGreaterThan(0);
    expect(groups()).toEqual([]);
    expect(layout.parents.every((parent) => existsSync(parent))).toBe(true);
  });

  it('gives CPU in proportion to memory, one vCPU at 1,769 MB', () => {
    expect(cpuQuotaUs(1769)).toBe(20_000);
    expect(cpuQuotaUs(3072)).toBe(34_731);
    expect(cpuQuotaUs(10)).toBe(1_000);
  });
});
