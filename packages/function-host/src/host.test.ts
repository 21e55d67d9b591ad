import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, type ApplicationFailure } from '@temporalio/common';
import { useTestStack } from '@autoflow/local-stack/testing';
import { StageFailure, type BatchRef } from '@autoflow/topology';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHostBench, type HostBench } from './testing/host-bench.js';

const stack = useTestStack();
let bench: HostBench;
beforeAll(
  async () => void (bench = await createHostBench({ temporal: stack.temporal, folder: stack.folder, module: 'trouble', idleMs: 2_000 })),
);
afterAll(() => bench.close());

const batchOf = (modes: readonly string[], amount = 0): Promise<BatchRef> =>
  bench.batch(modes.map((mode, i) => ({ id: String(i), mode, amount })));
const nodes = ['keep-wanted', 'act'];

async function failureOf(handle: WorkflowHandle): Promise<ApplicationFailure> {
  const error = await handle.result().then(
    () => undefined,
    (error: WorkflowFailedError) => error.cause,
  );
  expect(error).toBeInstanceOf(ActivityFailure);
  return (error as ActivityFailure).cause as ApplicationFailure;
}

const ended = (pid: number): void => expect(() => process.kill(pid, 0)).toThrow('ESRCH');

describe('a pool', () => {
  beforeEach(() => bench.desired.set([bench.pool()]));

  it('runs invocations in an instance that stays warm, ends when idle, and starts again', async () => {
    const pidOf = async (handle: WorkflowHandle): Promise<number> => {
      const { output } = (await handle.result()) as { output: BatchRef };
      return Number((await bench.read(output))[0]!.fields['blob']);
    };
    const input = await batchOf(['pid', 'unwanted']);
    const cold = await bench.dispatch(bench.pool(), input, { nodes });
    const pid = await pidOf(cold);
    const warm = await bench.dispatch(bench.pool(), input, { nodes });
    expect(await pidOf(warm)).toBe(pid);
    await vi.waitFor(() => ended(pid), { timeout: 10_000 });
    const again = await bench.dispatch(bench.pool(), input, { nodes });
    expect(await pidOf(again)).not.toBe(pid);

    expect([cold, warm, again].map((handle) => bench.rowsOf(handle).map(({ cold }) => cold))).toEqual([[true], [false], [true]]);
    expect(bench.rowsOf(cold)[0]).toMatchObject({
      attempt: 1,
      pipeline: 'trouble',
      version: 'v1',
      stage: 'stage',
      scope: 'live',
      host: 'bench',
      outcome: 'ok',
      memoryMb: 256,
      enforcement: bench.host.enforcement.kind,
      recordsIn: 2,
      recordsOut: 1,
      filtered: 1,
      bytesIn: input.bytes,
    });
    const row = bench.rowsOf(cold)[0]!;
    expect(row.spans.map(({ node }) => node)).toEqual(nodes);
    for (const figure of [row.coldStartMs, row.durationMs, row.cpuMs, row.peakMemoryMb, row.costUsd]) expect(figure).toBeGreaterThan(0);
  });

  it.each([
    ['exit', 'act', StageFailure.instanceDied, 'instance-died'],
    ['kill', 'act', StageFailure.instanceDied, 'instance-died'],
    ['hang-sync', 'act', StageFailure.timedOut, 'timed-out'],
    ['buffers', 'devour', StageFailure.outOfMemory, 'out-of-memory'],
  ])('fails the invocation alone, and typed, when a handler does "%s"', async (mode, node, type, outcome) => {
    const beside = await bench.dispatch(bench.pool(), await batchOf(['busy'], 100), { nodes });
    const handle = await bench.dispatch(bench.pool(), await batchOf([mode]), { nodes: [node] });
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ type, nonRetryable: true });
    expect(failure.details).toEqual([type === StageFailure.outOfMemory ? { begun: true, memoryMb: 256 } : { begun: true }]);
    expect(bench.rowsOf(handle)).toMatchObject([{ outcome, attempt: 1 }]);
    await beside.result();
  });

  it('says that a batch file is missing, for good', async () => {
    const input = await batchOf(['ok']);
    const handle = await bench.dispatch(bench.pool(), { ...input, ref: input.ref.replace('.ndjson', 'x.ndjson') }, { nodes });
    expect(await failureOf(handle)).toMatchObject({ type: StageFailure.batchMissing, nonRetryable: true, details: [{ begun: false }] });
    expect(bench.rowsOf(handle)).toMatchObject([{ outcome: 'failed' }]);
  });

  it('heartbeats for a handler that holds its thread', async () => {
    const handle = await bench.dispatch(
      bench.pool(),
      await batchOf(['busy'], 4_000),
      { nodes: ['devour'] },
      { heartbeatTimeout: '2 seconds' },
    );
    await handle.result();
    expect(bench.rowsOf(handle)).toMatchObject([{ attempt: 1, outcome: 'ok' }]);
  });

  it('stops an invocation that is cancelled', async () => {
    const handle = await bench.dispatch(bench.pool(), await batchOf(['busy'], 20_000), { nodes: ['devour'] });
    await vi.waitFor(async () => expect((await handle.describe()).raw.pendingActivities?.[0]?.state).toBe(2), { timeout: 10_000 });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    await vi.waitFor(() => expect(bench.rowsOf(handle)).toMatchObject([{ outcome: 'cancelled' }]), { timeout: 10_000 });
  });
});

describe('reconciliation', () => {
  it('loses nothing when concurrency is raised and lowered under load', async () => {
    const concurrencies = [1, 4, 2, 3, 1, 2];
    await bench.desired.set([bench.pool({ concurrency: 1 })]);
    const input = await batchOf(['busy'], 20);
    const handles = await Promise.all(Array.from({ length: 40 }, () => bench.dispatch(bench.pool(), input, { nodes })));
    for (const concurrency of concurrencies) {
      await bench.desired.set([bench.pool({ concurrency })]);
      await handles[concurrency]!.result();
    }
    await Promise.all(handles.map((handle) => handle.result()));
    expect(handles.flatMap((handle) => bench.rowsOf(handle)).filter(({ outcome, attempt }) => outcome !== 'ok' || attempt > 1)).toEqual([]);
  });

  it('changes memory by a new pool, and drops nothing that was under way in the old one', async () => {
    const [small, large] = [bench.pool({ memoryMb: 256 }), bench.pool({ memoryMb: 512 })];
    await bench.desired.set([small]);
    const input = await batchOf(['busy'], 50);
    const old = await Promise.all(Array.from({ length: 10 }, () => bench.dispatch(small, input, { nodes })));
    await bench.desired.set([small, large]);
    const replaced = bench.desired.set([large]);
    const young = await Promise.all(Array.from({ length: 10 }, () => bench.dispatch(large, input, { nodes })));
    await Promise.all(young.map((handle) => handle.result()));
    await bench.desired.set([small, large]);
    await Promise.all([replaced, ...old.map((handle) => handle.result())]);
    const rows = [...old, ...young].flatMap((handle) => bench.rowsOf(handle));
    expect(rows.filter(({ outcome, attempt }) => outcome !== 'ok' || attempt > 1)).toEqual([]);
    expect(new Set(rows.map(({ memoryMb }) => memoryMb))).toEqual(new Set([256, 512]));
  });

  it('goes on with the last pools while the store is away', async () => {
    await bench.desired.set([bench.pool()]);
    bench.desired.failing = new Error('the database is away');
    const acknowledged = bench.desired.until(() => true);
    await acknowledged;
    await bench.run(bench.pool(), await batchOf(['ok']), { nodes });
    expect(bench.logs.some((line) => line.includes('the last ones stand'))).toBe(true);
    bench.desired.failing = undefined;
  });

  it('tells what its pools had and used', async () => {
    await bench.desired.set([bench.pool()]);
    await bench.run(bench.pool(), await batchOf(['busy'], 200), { nodes });
    await vi.waitFor(() => expect(bench.usage.at(-1)?.busyS).toBeGreaterThan(0), { timeout: 10_000 });
    const usage = bench.usage.at(-1)!;
    expect(usage).toMatchObject({ host: 'bench', pipeline: 'trouble', version: 'v1', stage: 'stage', memoryMb: 256 });
    expect(usage.provisionedS).toBeGreaterThanOrEqual(usage.busyS);
    expect(usage.provisionedMbS).toBeCloseTo(usage.provisionedS * 256);
  });

  it('fails tasks of a release that it does not have yet so that they are tried again', async () => {
    const unknown = bench.pool({ version: 'v2', release: 'f'.repeat(64) });
    await bench.desired.set([unknown]);
    const handle = await bench.dispatch(unknown, await batchOf(['ok']), { nodes }, { retry: { maximumAttempts: 2, initialInterval: 10 } });
    expect(await failureOf(handle)).toMatchObject({ type: 'ReleaseMissing', nonRetryable: false, details: [{ begun: false }] });
    expect(bench.rowsOf(handle)).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
  });
});
