import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { defaultAllocation, defaultEnvelope, type Topology } from '@autoflow/topology';
import type { ExecutionProgress } from '@autoflow/workflows';
import { backfill, failureOf, jsonl, startBackfill, startPlatform, topologyOf, untilRow, type Platform } from './platform.js';

/** `perform` and `weigh` beside each other, the batch in two parts. */
const PARALLEL = { measure: [], 'may-pass': ['measure'], perform: ['may-pass'], weigh: ['may-pass'], store: ['perform', 'weigh'] };
const CHAIN = { measure: [], 'may-pass': ['measure'], perform: ['may-pass'], weigh: ['perform'], store: ['weigh'] };
/** For what befalls `perform`: as few others as keep it by itself. */
const APART = { 'measure+may-pass': [], perform: ['measure+may-pass'], 'weigh+store': ['perform'] };
const FUSED = { 'measure+may-pass+perform+weigh+store': [] };
const ALL_PASS = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };

describe('an execution for a batch', () => {
  const stack = useTestStack();
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.startWorker();
  });
  afterAll(() => platform?.stop());

  /** Of the scope's largest batch. */
  const executionOf = async (scope: string) => {
    const { rows } = await platform.sql.query<{ id: string; bytes: number }>(
      `select execution_id as id, (ref ->> 'bytes')::int as bytes from autoflow.batches where scope = $1 order by admitted desc limit 1`,
      [scope],
    );
    return rows[0]!;
  };
  const progressOf = async (scope: string) =>
    platform.client.workflow.getHandle((await executionOf(scope)).id).query<ExecutionProgress>('progress');
  const sinkOf = async (prefix: string) =>
    (await platform.sql.query<{ id: string }>('select id from sink where id like $1 order by id', [`${prefix}%`])).rows.map(({ id }) => id);
  const run = async (scope: string, topology: Topology, records: readonly object[], options: { batchRecords?: number } = {}) =>
    backfill(platform, {
      id: scope,
      version: await platform.registerVersion(topology),
      source: await jsonl(stack.folder, scope, records),
      ...options,
    });

  it('comes to the same outcomes whatever the topology, partitions and batch size', async () => {
    const acts = ['pass', 'drop', 'pass', 'fail', 'flaky', 'pass', 'pass', 'drop', 'fail', 'pass'];
    const records = Array.from({ length: 40 }, (_, at) => ({ id: `same-${at}`, act: acts[at % acts.length], payload: 'x'.repeat(at) }));
    const expected = { completed: 24, filtered: 8, dead: 8, cancelled: 0 };
    const digests = new Set<string>();
    for (const [scope, topology, batchRecords] of [
      ['same-chain', topologyOf(CHAIN), 13],
      ['same-parallel', topologyOf(PARALLEL, { partitions: 3 }), 20],
      ['same-fused', topologyOf(FUSED), 40],
      ['same-split', topologyOf(PARALLEL, { batch: { records: 40, bytes: 1024 } }), 40],
    ] as const) {
      expect((await run(scope, topology, records, { batchRecords })).counts).toEqual(expected);
      const { digest, counts } = await platform.store.ledger.outcomeDigest('acts', scope);
      expect(counts).toEqual(expected);
      digests.add(digest);
    }
    expect(digests.size).toBe(1);
    expect(await progressOf('same-parallel')).toMatchObject({
      stages: expect.arrayContaining([expect.objectContaining({ name: 'perform', parts: 3, partsDone: 3 })]),
    });
  });

  it('goes to the next memory size when a stage runs out of it', async () => {
    const topology = topologyOf(APART);
    const start = defaultAllocation(platform.spec, topology, defaultEnvelope(platform.spec, topology));
    await platform.registerVersion({ ...topology, lingerMs: 1 }, { ...start, perform: { memoryMb: 256, concurrency: 2 } });
    const records = [
      { id: 'memory-1', act: 'pass' },
      { id: 'memory-2', act: 'hoard' },
    ];
    expect((await run('memory', { ...topology, lingerMs: 1 }, records)).counts).toEqual({ ...ALL_PASS, completed: 2 });
    const hoarder = (await platform.store.ledger.record('acts', 'memory', 'memory-2'))!;
    const { executionId } = (await platform.store.ledger.batch(hoarder.batchId))!;
    const { stages } = await platform.client.workflow.getHandle(executionId).query<ExecutionProgress>('progress');
    const perform = stages.find(({ name }) => name === 'perform');
    expect(perform?.memoryMb).toBeGreaterThan(256);
    expect(perform?.invocations).toBeGreaterThan(1);
  });

  it.each([
    ['grows from call to call', 'grow', 8, [256]],
    ['keeps buffers off its heap', 'hoard', 2, [256, 512]],
    ['spikes', 'spike', 2, [256, 512]],
  ])('no record dies of a function that %s', { timeout: 120_000 }, async (_, act, count, sizes) => {
    const topology = { ...topologyOf(APART), lingerMs: 3, batch: { records: 1, bytes: 1024 } };
    const envelope = defaultEnvelope(platform.spec, topology);
    const small = { ...envelope, perform: { memoryMb: sizes, concurrency: { min: 1, max: 2 } } };
    const start = defaultAllocation(platform.spec, topology, envelope);
    const version = await platform.registerVersion(topology, { ...start, perform: { memoryMb: 256, concurrency: 1 } }, small);
    const source = await jsonl(
      stack.folder,
      act,
      Array.from({ length: count }, (_, at) => ({ id: `${act}-${at}`, act })),
    );
    expect((await backfill(platform, { id: act, version, batchRecords: 1, source })).counts).toEqual({ ...ALL_PASS, completed: count });
  });

  it('isolates the record that does not fit the largest memory size; the others complete', { timeout: 180_000 }, async () => {
    const topology = { ...topologyOf(APART), lingerMs: 2 };
    const envelope = defaultEnvelope(platform.spec, topology);
    const small = { ...envelope, perform: { ...envelope['perform']!, memoryMb: [128, 256] } };
    const start = defaultAllocation(platform.spec, topology, envelope);
    const version = await platform.registerVersion(topology, { ...start, perform: { memoryMb: 128, concurrency: 2 } }, small);
    const records = ['pass', 'pass', 'hoard-all', 'pass'].map((act, at) => ({ id: `largest-${at}`, act }));
    const source = await jsonl(stack.folder, 'largest', records);
    expect((await backfill(platform, { id: 'largest', version, batchRecords: 4, source })).counts).toEqual({
      ...ALL_PASS,
      completed: 3,
      dead: 1,
    });
    expect(await platform.store.ledger.deadLetters({ pipeline: 'acts', scope: 'largest', limit: 5 })).toMatchObject([
      { key: 'largest-2', code: 'OutOfMemory', in: 'perform' },
    ]);
    expect((await progressOf('largest')).stages.find(({ name }) => name === 'perform')).toMatchObject({ memoryMb: 256 });
  });

  describe('a plain write is called once per record', () => {
    const append = async (scope: string, acts: readonly string[]) => {
      const records = acts.map((act, at) => ({ id: `${scope}-${at}`, act }));
      const source = await jsonl(stack.folder, scope, records);
      return startBackfill(platform, { pipeline: 'appends', id: scope, batchRecords: acts.length, source });
    };
    const callsOf = async (scope: string) => {
      const { rows } = await platform.sql.query<{ id: string; calls: number }>(
        'select id, count(*)::int as calls from attempts where id like $1 group by id order by id',
        [`${scope}-%`],
      );
      return Object.fromEntries(rows.map(({ id, calls }) => [id.slice(scope.length + 1), calls]));
    };
    const codesOf = async (scope: string) =>
      (await platform.store.ledger.deadLetters({ pipeline: 'appends', scope, limit: 9 })).map(({ code }) => code);

    it('when all goes well', async () => {
      const handle = await append('well', ['pass', 'pass', 'pass']);
      expect((await handle.result()).counts).toEqual({ ...ALL_PASS, completed: 3 });
      expect(await callsOf('well')).toEqual({ 0: 1, 1: 1, 2: 1 });
    });

    it('when its process dies: none of the batch is run again', async () => {
      const handle = await append('dies', ['pass', 'exit', 'pass']);
      expect((await handle.result()).counts).toEqual({ ...ALL_PASS, dead: 3 });
      expect(await codesOf('dies')).toEqual(['NOT_RERUN', 'NOT_RERUN', 'NOT_RERUN']);
      expect(await callsOf('dies')).toEqual({ 0: 1, 1: 1 });
    });

    it('when it has written, but its output cannot be', { timeout: 120_000 }, async () => {
      const folder = join(stack.folder, 'batches');
      const handle = await append('unwritten', ['pass', 'wait']);
      await untilRow(platform, `select 1 from attempts where id = 'unwritten-1'`);
      await rename(folder, `${folder}-away`);
      await writeFile(folder, 'no folder');
      await platform.sql.query('insert into released values (true)');
      await untilRow(platform, `select 1 from autoflow.invocations where scope = 'unwritten' and outcome = 'failed'`);
      await rm(folder);
      await rename(`${folder}-away`, folder);
      await platform.sql.query('delete from released');
      expect((await handle.result()).counts).toEqual({ ...ALL_PASS, dead: 2 });
      expect(await codesOf('unwritten')).toEqual(['NOT_RERUN', 'NOT_RERUN']);
      expect(await callsOf('unwritten')).toEqual({ 0: 1, 1: 1 });
    });
  });

  /** They mostly wait: for a time-out, and for files. */
  describe.concurrent('beside others', () => {
    it('isolates the record that kills its process; the others complete', async () => {
      const records = Array.from({ length: 16 }, (_, at) => ({ id: `poison-${at}`, act: at === 11 ? 'exit' : 'pass' }));
      expect((await run('poison', topologyOf(CHAIN), records)).counts).toEqual({ ...ALL_PASS, completed: 15, dead: 1 });
      expect(await platform.store.ledger.deadLetters({ pipeline: 'acts', scope: 'poison', limit: 5 })).toMatchObject([
        { key: 'poison-11', code: 'InstanceDied', in: 'perform' },
      ]);
      expect(await sinkOf('poison-')).toHaveLength(15);
    });

    it('isolates the record that hangs', { timeout: 180_000 }, async () => {
      const records = [
        { id: 'hangs-0', act: 'pass' },
        { id: 'hangs-1', act: 'hang' },
      ];
      const source = await jsonl(stack.folder, 'hangs', records);
      const { counts } = await backfill(platform, { pipeline: 'stalls', id: 'hangs', batchRecords: 2, source });
      expect(counts).toEqual({ ...ALL_PASS, completed: 1, dead: 1 });
      expect(await platform.store.ledger.deadLetters({ pipeline: 'stalls', scope: 'hangs', limit: 5 })).toMatchObject([
        { key: 'hangs-1', code: 'InvocationTimedOut', in: 'stall' },
      ]);
    });

    it('carries a batch of 50 MB', { timeout: 240_000 }, async () => {
      const records = Array.from({ length: 25 }, (_, at) => ({ id: `huge-${at}`, act: 'pass', payload: 'x'.repeat(2 * 1024 * 1024) }));
      const topology = { ...topologyOf(CHAIN, { batch: { records: 25, bytes: 128 * 1024 * 1024 } }), lingerMs: 3_000 };
      const progress = await run('huge', topology, records);
      expect(progress).toMatchObject({ read: 25, settled: 25, counts: { ...ALL_PASS, completed: 25 } });
      expect((await executionOf('huge')).bytes).toBeGreaterThan(25 * 2 * 1024 * 1024);
    });
  });

  it('fails with the reason when a batch file is gone, and leaves no record without outcome', async () => {
    const feeding = await startBackfill(platform, {
      id: 'lost',
      source: await jsonl(stack.folder, 'lost', [{ id: 'lost-1', act: 'wait' }]),
    });
    await untilRow(platform, `select 1 from attempts where id = 'lost-1'`);
    await rm(join(stack.folder, 'batches'), { recursive: true, maxRetries: 10 });
    await platform.sql.query('insert into released values (true)');
    const failure = await failureOf(platform.client.workflow.getHandle((await executionOf('lost')).id).result());
    expect(failure.type).toBe('BatchMissing');
    expect((await feeding.result()).counts).toEqual({ ...ALL_PASS, dead: 1 });
    expect(await platform.store.ledger.openBatches({ pipeline: 'acts' })).toEqual([]);
    await platform.sql.query('delete from released');
  });
});
