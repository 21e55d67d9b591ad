import { createServer, type AddressInfo } from 'node:net';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { join } from 'node:path';
import type { RecordState } from '@autoflow/pipeline';
import { StageFailure, type StageAnswer } from '@autoflow/topology';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEnforcer } from '../enforcement/detect.js';
import type { Confinement, Enforcer } from '../enforcement/enforcer.js';
import { programFile } from '../programs.js';
import { createStageBench, type StageBench } from '../testing/stage-bench.js';
import type { InstanceProcess, InvocationResult } from './instance-process.js';
import { endOrphans } from './orphans.js';

const never = new AbortController().signal;
let bench: StageBench;
beforeAll(async () => void (bench = await createStageBench('trouble')));
afterAll(() => bench.close());

/** Runs `act`, or another node, over records of these modes. */
async function act(
  instance: InstanceProcess,
  modes: readonly string[],
  { node = 'act', amount = 0, strict = true, final = false, signal = never } = {},
): Promise<InvocationResult> {
  const input = await bench.batch(modes.map((mode, i) => ({ id: String(i), mode, amount })));
  return instance.invoke(bench.invocation(input, { nodes: ['keep-wanted', node], final }), strict, signal);
}

async function recordsOf(result: InvocationResult): Promise<{ done: RecordState[]; retry: RecordState[] }> {
  if (result.type !== 'answer') throw new Error(`no answer: ${JSON.stringify(result)}`);
  const { output, retry }: StageAnswer = result.answer;
  return { done: await bench.batches.read(output), retry: retry === undefined ? [] : await bench.batches.read(retry) };
}

describe('an instance', () => {
  it('runs a stage over a batch, and tells what it used', async () => {
    const instance = await bench.instance();
    const result = await act(instance, ['ok', 'unwanted', 'terminal', 'throw', 'ok']);
    const { done, retry } = await recordsOf(result);
    expect(done.map(({ index, filtered, death }) => [index, filtered?.reason, death?.code])).toEqual([
      [0, undefined, undefined],
      [1, 'nobody wants it', undefined],
      [2, undefined, 'TOO_ODD'],
      [4, undefined, undefined],
    ]);
    expect(retry.map(({ index, retry }) => [index, retry?.at, retry?.message])).toEqual([[3, 'act', 'the handler threw']]);
    const { usage } = result as Extract<InvocationResult, { type: 'answer' }>;
    expect(usage).toMatchObject({ recordsIn: 5, recordsOut: 2, filtered: 1, dead: 1, retried: 1 });
    expect(usage.spans.map(({ node, recordsIn }) => [node, recordsIn])).toEqual([
      ['keep-wanted', 5],
      ['act', 4],
    ]);
    expect(usage.cpuMs).toBeGreaterThan(0);
    expect(usage.peakMemoryMb).toBeGreaterThan(20);
    expect(usage.bytesIn).toBeGreaterThan(0);
  });

  it('counts a death here, whatever became of those that came dying', async () => {
    const instance = await bench.instance();
    const arrivedAt = '2026-01-01T00:00:00.000Z';
    const fieldsOf = (index: number, mode: string) => ({
      index,
      key: String(index),
      arrivedAt,
      fields: { id: String(index), mode, amount: 0 },
    });
    const death = { in: 'devour', code: 'DIED', message: '' };
    const input = await bench.batches.write({ pipeline: 'trouble', batchId: 'batch', label: 'input' }, [
      { ...fieldsOf(0, 'unwanted'), death },
      fieldsOf(1, 'terminal'),
      fieldsOf(2, 'ok'),
    ]);
    const result = await instance.invoke(bench.invocation(input, { nodes: ['keep-wanted', 'act'] }), true, never);
    expect(result).toMatchObject({ type: 'answer', usage: { recordsIn: 3, recordsOut: 1, filtered: 1, dead: 1, retried: 0 } });
  });

  describe('a resource that allows only so many uses a second', () => {
    const visits = (instance: InstanceProcess, count: number, { node = 'visit', signal = never } = {}) =>
      bench
        .batch(Array.from({ length: count }, (_, i) => ({ id: String(i), mode: 'ok', amount: 0 })))
        .then((input) => instance.invoke(bench.invocation(input, { pipeline: 'visits', nodes: [node] }), true, signal));

    it('is asked for before each call of a handler: one use, of a record or of a whole batch', async () => {
      const asked: unknown[] = [];
      const instance = await bench.instance({ pipeline: 'visits', use: async (uses) => void asked.push(uses) });
      expect((await recordsOf(await visits(instance, 3))).done).toHaveLength(3);
      expect(asked).toEqual(Array(3).fill([{ resource: 'turnstile', perSecond: 5 }]));
      expect((await recordsOf(await visits(instance, 3, { node: 'visit-together' }))).done).toHaveLength(3);
      expect(asked).toHaveLength(4);
    });

    it('may keep a handler waiting for longer than its timeout: that is no time of its own', async () => {
      const instance = await bench.instance({ pipeline: 'visits', graceMs: 180, use: () => after(600) });
      const result = await visits(instance, 2);
      expect((await recordsOf(result)).done.map(({ death }) => death)).toEqual([undefined, undefined]);
      const { usage } = result as Extract<InvocationResult, { type: 'answer' }>;
      // Of the 1,200 ms that both have waited.
      expect(usage.spans[0]!.wallMs).toBeLessThan(600);
    });

    it('lets a cancelled invocation go', async () => {
      const cancelling = new AbortController();
      let left = false;
      const use = (_: unknown, signal: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => ((left = true), reject(new Error('gone'))));
          cancelling.abort();
        });
      const instance = await bench.instance({ pipeline: 'visits', use });
      expect((await visits(instance, 1, { signal: cancelling.signal })).type).toBe('failure');
      expect([left, instance.alive]).toEqual([true, true]);
    });
  });

  it.each([
    ['wrong-shape', 'WRONG_ANSWER'],
    ['missing-field', 'WRONG_ANSWER'],
    ['extra-field', 'UNDECLARED_FIELD'],
  ])('lets a record die alone whose handler answers with %s', async (mode, code) => {
    const { done } = await recordsOf(await act(await bench.instance(), ['ok', mode, 'ok']));
    expect(done.map(({ death }) => death?.code)).toEqual([undefined, code, undefined]);
  });

  it('passes 50 MB on', async () => {
    const instance = await bench.instance({ memoryMb: 1024 });
    const result = await act(instance, ['big'], { amount: 50_000_000 });
    const { done } = await recordsOf(result);
    expect((done[0]!.fields['blob'] as string).length).toBe(50_000_000);
  });

  it('stays usable after an async handler that hangs: its record is tried again', async () => {
    const instance = await bench.instance();
    const { retry } = await recordsOf(await act(instance, ['hang-async']));
    expect(retry[0]?.retry?.code).toBe('TIMEOUT');
    expect((await recordsOf(await act(instance, ['ok']))).done).toHaveLength(1);
  });

  it.each([
    ['hang-sync', 'timed-out', /no progress in 'act'/],
    ['exit', 'died', /exited with code 3/],
    ['kill', 'died', /killed by SIGKILL/],
    ['crash', 'died', /thrown outside of the handler/],
  ])('ends alone when a handler does "%s"', async (mode, why, message) => {
    const instance = await bench.instance();
    const result = await act(instance, ['ok', mode]);
    expect(result).toMatchObject({ type: 'ended', begun: true, ended: { why } });
    expect((result as Extract<InvocationResult, { type: 'ended' }>).ended.message).toMatch(message);
    expect(instance.alive).toBe(false);
  });

  it.each([
    ['heap', 'detect'],
    ['buffers', 'detect'],
    ['heap', 'soft'],
    ['buffers', 'soft'],
  ] as const)('runs out of memory, and alone, when a handler allocates %s without end (limits: %s)', async (mode, kind) => {
    const enforcer = createEnforcer(kind);
    const instance = await bench.instance({ enforcer });
    const ended = { why: 'out-of-memory', message: 'more than 256 MB were needed' };
    expect(await act(instance, ['ok', mode], { node: 'devour' })).toMatchObject({ type: 'ended', begun: true, ended });
    enforcer.close();
  });

  it('stops when it is cancelled: by itself, or, with a handler that does not listen, by its end', async () => {
    const cancelling = new AbortController();
    const listening = await bench.instance();
    const gentle = act(listening, ['hang-async'], { signal: cancelling.signal });
    cancelling.abort();
    expect((await gentle).type).toBe('failure');
    const hanging = new AbortController();
    const deaf = await bench.instance({ graceMs: 100, log: (_, message) => message === 'hanging' && hanging.abort() });
    expect(await act(deaf, ['hang-sync'], { signal: hanging.signal })).toMatchObject({ type: 'ended', ended: { why: 'cancelled' } });
  });

  it('says that a batch file is missing, for good', async () => {
    const instance = await bench.instance();
    const input = await bench.batch([{ id: '1', mode: 'ok', amount: 0 }]);
    const missing = { ...input, ref: input.ref.replace('.ndjson', 'x.ndjson') };
    const result = await instance.invoke(bench.invocation(missing, { nodes: ['act'] }), true, never);
    expect(result).toMatchObject({ type: 'failure', failure: { type: StageFailure.batchMissing, retryable: false } });
  });

  it('takes a slice of the merged input, and lets condemned records die without running them', async () => {
    const instance = await bench.instance();
    const input = await bench.batch(['kill', 'ok', 'kill'].map((mode, i) => ({ id: String(i), mode, amount: 0 })));
    const sliced = await recordsOf(
      await instance.invoke(bench.invocation(input, { nodes: ['act'], slice: { from: 1, to: 2 } }), true, never),
    );
    expect(sliced.done.map(({ index }) => index)).toEqual([1]);
    const condemn = { code: 'INSTANCE_DIED', message: 'its process died' };
    const condemned = await recordsOf(
      await instance.invoke(bench.invocation(input, { nodes: ['act'], slice: { from: 0, to: 1 }, condemn }), true, never),
    );
    expect(condemned.done[0]?.death).toEqual({ in: 'stage', ...condemn });
  });
});

describe('what a handler sends over the channel', () => {
  it.each(['send-null', 'send-rubbish'])('neither ends the host nor answers for the instance (%s)', async (mode) => {
    const instance = await bench.instance();
    const { done } = await recordsOf(await act(instance, [mode, 'ok']));
    expect(done.map(({ death }) => death)).toEqual([undefined, undefined]);
    if (mode === 'send-rubbish') expect(done[0]?.fields['blob']).toBe('undefined');
    expect((await recordsOf(await act(instance, ['ok']))).done).toHaveLength(1);
  });
});

describe('an instance that cannot be run', () => {
  const enforcer = (change: Partial<Confinement>): Enforcer => {
    const soft = createEnforcer('soft');
    return { ...soft, confine: (pid, memoryMb) => ({ ...soft.confine(pid, memoryMb), ...change }) };
  };
  const fail = (): never => {
    throw new Error('read-only file system');
  };

  it('does not start without its limits', async () => {
    const pids: number[] = [];
    const broken: Enforcer = { ...createEnforcer('soft'), confine: (pid) => (pids.push(pid), fail()) };
    await expect(bench.instance({ enforcer: broken })).rejects.toThrow('not-started: its limits could not be set: read-only file system');
    await expect(bench.instance({ enforcer: enforcer({ throttle: fail }) })).rejects.toThrow('not-started');
    expect(() => process.kill(pids[0]!, 0)).toThrow('ESRCH');
  });

  it('ends, and is told, though its confinement fails', async () => {
    const logged: string[] = [];
    const log = (_: string, message: string): void => void logged.push(message);
    const failing = enforcer({ kill: fail, release: fail, ranOutOfMemory: fail });
    const instance = await bench.instance({ enforcer: failing, log });
    instance.kill('enough');
    expect(await instance.ended).toEqual({ why: 'died', message: 'enough' });
    expect(logged.filter((line) => line.startsWith('confinement:'))).toHaveLength(3);
  });

  it('is not to blame when it does not load in time', async () => {
    await expect(bench.instance({ startWithinMs: 1 })).rejects.toThrow('late: the release did not finish loading within 1 ms');
  });
});

describe('whether handlers may have run', () => {
  it.each(['kill', 'hang-sync'])('is true once they have begun (%s)', async (mode) => {
    expect(await act(await bench.instance(), [mode])).toMatchObject({ type: 'ended', begun: true });
  });

  it('is false when the batch cannot be read, or the instance is gone before', async () => {
    const instance = await bench.instance();
    const input = await bench.batch([{ id: '1', mode: 'ok', amount: 0 }]);
    const missing = bench.invocation({ ...input, ref: input.ref.replace('.ndjson', 'x.ndjson') }, { nodes: ['act'] });
    expect(await instance.invoke(missing, true, never)).toMatchObject({ type: 'failure', begun: false });
    // However fast it is, it hears nothing of it.
    process.kill(instance.pid, 'SIGSTOP');
    const invoked = instance.invoke(bench.invocation(input, { nodes: ['act'] }), true, never);
    instance.kill('enough');
    expect(await invoked).toMatchObject({ type: 'ended', begun: false });
  });

  it('a wrong invocation fails for good', async () => {
    const result = await act(await bench.instance(), ['ok'], { node: 'nobody' });
    expect(result).toMatchObject({ type: 'failure', failure: { type: 'InvocationBroken', retryable: false } });
    expect((result as Extract<InvocationResult, { type: 'failure' }>).failure.message).toContain(`no node 'nobody'`);
  });
});

describe('an instance whose host is killed', () => {
  /** A host of one instance, and the instance's pid once that has told of itself. */
  async function hosted(bundle: string): Promise<{ host: ChildProcess; pid: number }> {
    const file = join(bench.folder, 'host.cjs');
    await writeFile(
      file,
      `const child = require('node:child_process').fork(process.argv[2], [process.pid], { detached: true, env: {}, silent: true });
       const told = () => process.send(child.pid);
       child.on('message', ({ type }) => type === 'ready' && told());
       child.stdout.once('data', told);
       child.send({ type: 'init', call: 1, settings: JSON.parse(process.argv[3]) });`,
    );
    const settings = { pipeline: 'trouble', bundle, batchStore: { driver: 'file', folder: bench.folder }, secrets: {} };
    const program = await programFile('instance/main', join(bench.folder, 'releases'));
    const host = fork(file, [program, JSON.stringify(settings)], { execArgv: [] });
    const [pid] = (await once(host, 'message')) as [number];
    return { host, pid };
  }
  const gone = (pid: number): Promise<void> => vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 20_000 });

  it('ends with it', async () => {
    const { host, pid } = await hosted(join(bench.release.folder, 'index.mjs'));
    host.kill('SIGKILL');
    await gone(pid);
  });

  // Orphans are found in /proc, which only Linux has.
  it.skipIf(process.platform !== 'linux')('is ended by the next host when it holds its thread, and not before', async () => {
    const endless = join(bench.folder, 'endless.mjs');
    await writeFile(endless, `import { writeSync } from 'node:fs'; writeSync(1, 'hanging'); for (;;);`);
    const { host, pid } = await hosted(endless);
    const ours = await bench.instance();
    expect(endOrphans()).not.toContain(pid);
    host.kill('SIGKILL');
    await once(host, 'exit');
    expect(endOrphans()).toContain(pid);
    await gone(pid);
    expect(ours.alive).toBe(true);
  });
});

describe('the sandbox', () => {
  it('lets a pure function that uses the network fail its record, by name', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { done } = await recordsOf(await act(await bench.instance(), ['network', 'ok'], { amount: port }));
    server.close();
    expect(done[0]?.death).toMatchObject({ in: 'act', code: 'IMPURE' });
    expect(done[0]?.death?.message).toContain(`'act' is declared pure`);
    expect(done[1]?.death).toBeUndefined();
  });

  it('inherits no environment', async () => {
    process.env['AUTOFLOW_TEST_SECRET'] = 'do not tell';
    const { done } = await recordsOf(await act(await bench.instance(), ['environment']));
    delete process.env['AUTOFLOW_TEST_SECRET'];
    const seen = Object.keys(JSON.parse(done[0]!.fields['blob'] as string) as object);
    expect(seen.filter((name) => !name.startsWith('NODE_CHANNEL_'))).toEqual([]);
  });

  it('hands a resource the secrets that it declares, opens it once, and blanks them out of errors', async () => {
    const secrets = { VAULT_TOKEN: 'a-long-secret', OTHER_TOKEN: 'another-secret' };
    const instance = await bench.instance({ nodes: ['ask-vault'], secrets });
    const input = await bench.batch([{ id: '1', mode: 'ok', amount: 0, acted: true }]);
    const ask = async (): Promise<RecordState> =>
      (await recordsOf(await instance.invoke(bench.invocation(input, { nodes: ['ask-vault'] }), true, never))).done[0]!;
    const [first, second] = [await ask(), await ask()];
    expect(first.fields['tokenLength']).toBe(secrets.VAULT_TOKEN.length);
    expect(second.fields['opened']).toBe(first.fields['opened']);
  });

  it('gives a resource no secret that it does not declare, though the host has it', async () => {
    const secrets = { VAULT_TOKEN: 'a-long-secret', OTHER_TOKEN: 'another-secret' };
    const instance = await bench.instance({ pipeline: 'curiosity', nodes: ['ask-other'], secrets });
    const input = await bench.batch([{ id: '1', mode: 'ok', amount: 0, acted: true }]);
    const { done } = await recordsOf(
      await instance.invoke(bench.invocation(input, { pipeline: 'curiosity', nodes: ['ask-other'] }), true, never),
    );
    expect(done[0]?.death?.code).toBe('SECRET_UNDECLARED');
  });

  it('blanks secrets out of what a handler logs', async () => {
    const logged: unknown[] = [];
    const instance = await bench.instance({
      nodes: ['ask-vault'],
      secrets: { VAULT_TOKEN: 'a-long-secret' },
      log: (...entry) => logged.push(entry),
    });
    const input = await bench.batch([{ id: 'a-long-secret', mode: 'log', amount: 0 }]);
    await recordsOf(await instance.invoke(bench.invocation(input, { nodes: ['act'] }), true, never));
    expect(logged).toContainEqual(['info', 'tells ***', { node: 'act', key: '***', details: { token: '***', list: [{ '***': 1 }] } }]);
    expect(JSON.stringify(logged)).not.toContain('a-long-secret');
  });

  it('names a secret that this host does not have', async () => {
    const instance = await bench.instance({ nodes: ['ask-vault'], secrets: {} });
    const input = await bench.batch([{ id: '1', mode: 'ok', amount: 0, acted: true }]);
    const { done } = await recordsOf(await instance.invoke(bench.invocation(input, { nodes: ['ask-vault'], final: true }), true, never));
    expect(done[0]?.death?.message).toContain(`'VAULT_TOKEN' has no value`);
  });
});
