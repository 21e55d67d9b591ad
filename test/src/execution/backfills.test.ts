import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import type { RunningWorker } from '@autoflow/worker';
import { BackfillSignal } from '@autoflow/workflows';
import { backfill, BY, failureOf, jsonl, startBackfill, startPlatform, topologyOf, untilRow, type Platform } from './platform.js';

const FUSED = topologyOf({ 'measure+may-pass+perform+weigh+store': [] }, { batch: { records: 5, bytes: 1024 * 1024 } });
const NONE = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };

describe('a backfill', () => {
  const stack = useTestStack();
  let platform: Platform;
  let worker: RunningWorker;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    const fused = await platform.registerVersion(FUSED);
    await platform.store.definitions.setStable({ pipeline: 'acts', version: fused, by: BY });
    worker = await platform.startWorker();
  });
  afterAll(() => platform?.stop());

  const records = (scope: string, count: number, act = 'pass') => Array.from({ length: count }, (_, at) => ({ id: `${scope}-${at}`, act }));
  /** Rows of the sink. A record that was stored twice counts twice, which only a crash excuses. */
  const sinkRows = async (scope: string, counted: 'sum(stored)' | 'count(*)' = 'sum(stored)') =>
    (await platform.sql.query<{ n: number }>(`select ${counted}::int as n from sink where id like $1`, [`${scope}-%`])).rows[0]?.n;

  const anExecution = async (scope: string) => {
    const { rows } = await platform.sql.query<{ id: string }>('select execution_id as id from autoflow.batches where scope = $1', [scope]);
    return platform.client.workflow.getHandle(rows[0]?.id ?? 'none');
  };

  it('feeds everything, tells its progress, and marks its executions', async () => {
    const handle = await startBackfill(platform, { id: 'all', source: await jsonl(stack.folder, 'all', records('all', 23)) });
    const done = { read: 23, settled: 23, total: 23, counts: { ...NONE, completed: 23 } };
    expect(await handle.result()).toEqual(done);
    expect(await handle.query('progress')).toEqual({ state: 'ended', progress: done });
    expect(await platform.store.backfills.get('all')).toMatchObject({ state: 'completed', progress: done });
    expect(await sinkRows('all')).toBe(23);
    const { typedSearchAttributes } = await (await anExecution('all')).describe();
    expect(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toContainEqual(['AutoFlowBackfill', 'all']);
  });

  it('stops at its limit', async () => {
    expect(
      await backfill(platform, { id: 'limit', limit: 7, source: await jsonl(stack.folder, 'limit', records('limit', 23)) }),
    ).toMatchObject({ read: 7, total: 7, counts: { completed: 7 } });
  });

  it('makes a dead letter of an invalid record, with its place in the source', async () => {
    const path = join(stack.folder, 'invalid.jsonl');
    await writeFile(path, '{"id":"i-0","act":"pass"}\n{"id":"i-1","act":"dance"}\n{not json\n{"act":"pass"}\n{"id":"i-0","act":"drop"}\n');
    expect(await backfill(platform, { id: 'invalid', source: { kind: 'jsonl', path } })).toMatchObject({
      read: 5,
      settled: 5,
      counts: { ...NONE, completed: 1, dead: 3 },
    });
    const letters = await platform.store.ledger.deadLetters({ pipeline: 'acts', scope: 'invalid', limit: 10 });
    expect(letters.map(({ key, code, in: place, message }) => [key, code, place, message.split(':')[0]]).sort()).toEqual([
      ['i-1', 'INVALID_RECORD', 'input', 'line 2'],
      ['invalid line 3', 'INVALID_RECORD', 'input', 'line 3'],
      ['invalid line 4', 'INVALID_RECORD', 'input', 'line 4'],
    ]);
    expect(letters.find(({ key }) => key === 'i-1')?.record).toEqual({ id: 'i-1', act: 'dance' });
  });

  it('does not run again what its scope knows already', async () => {
    const source = await jsonl(stack.folder, 'known', records('known', 6));
    await backfill(platform, { id: 'known', source });
    await platform.store.backfills.create(
      {
        id: 'known-again',
        pipeline: 'acts',
        scope: 'known',
        concurrency: 2,
        source: await jsonl(stack.folder, 'known-again', records('known', 9)),
      },
      BY,
    );
    const again = await platform.client.workflow.execute('Backfill', {
      taskQueue: 'autoflow-control',
      workflowId: 'backfill/known-again',
      args: [{ backfillId: 'known-again' }],
    });
    expect(again).toMatchObject({ read: 9, settled: 9, counts: { ...NONE, completed: 3 } });
    const { rows } = await platform.sql.query(`select id from attempts where id like 'known-%' group by id having count(*) > 1`);
    expect(rows).toEqual([]);
  });

  it('fails for good, with the reason, when the source is not what it should be', async () => {
    const failure = await failureOf(backfill(platform, { id: 'missing', source: { kind: 'jsonl', path: '/no/such/file.jsonl' } }));
    expect(failure).toMatchObject({ type: 'SOURCE_MISSING', message: expect.stringContaining('/no/such/file.jsonl') });
    expect(await platform.store.backfills.get('missing')).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('/no/such/file.jsonl'),
    });
    expect(
      await failureOf(
        backfill(platform, { id: 'unknown-version', version: 'v99', source: await jsonl(stack.folder, 'uv', records('uv', 1)) }),
      ),
    ).toMatchObject({ type: 'UNKNOWN_PIPELINE' });
  });

  it('pauses and resumes by signal, without losing or repeating a record', async () => {
    const handle = await startBackfill(platform, {
      id: 'pausing',
      concurrency: 1,
      batchRecords: 1,
      source: await jsonl(stack.folder, 'pausing', [{ id: 'pausing-0', act: 'wait' }, ...records('pausing', 8).slice(1)]),
    });
    await untilRow(platform, `select 1 from attempts where id = 'pausing-0'`);
    await handle.signal(BackfillSignal.pause);
    await platform.sql.query('insert into released values (true)');
    await untilRow(platform, `select 1 from autoflow.records where scope = 'pausing' and state = 'completed'`);
    expect(await handle.query('progress')).toMatchObject({ state: 'paused' });
    await handle.signal(BackfillSignal.resume);
    expect(await handle.result()).toMatchObject({ read: 8, settled: 8, counts: { ...NONE, completed: 8 } });
    expect(await sinkRows('pausing')).toBe(8);
    await platform.sql.query('delete from released');
  });

  it('goes on when it is resumed before its feed has heard of the pause', async () => {
    const handle = await startBackfill(platform, {
      id: 'hasty',
      concurrency: 1,
      batchRecords: 1,
      source: await jsonl(stack.folder, 'hasty', [{ id: 'hasty-0', act: 'wait' }, ...records('hasty', 4).slice(1)]),
    });
    await untilRow(platform, `select 1 from attempts where id = 'hasty-0'`);
    await handle.signal(BackfillSignal.pause);
    await handle.signal(BackfillSignal.resume);
    await platform.sql.query('insert into released values (true)');
    expect(await handle.result()).toMatchObject({ read: 4, settled: 4, counts: { ...NONE, completed: 4 } });
    await platform.sql.query('delete from released');
  });

  it('refuses a record that nests too deep, and goes on', async () => {
    const deep = join(stack.folder, 'deep.jsonl');
    const nested = `${'['.repeat(9000)}${']'.repeat(9000)}`;
    await writeFile(deep, `{"id":"deep-0","act":"pass"}\n{"id":"deep-1","act":"pass","junk":${nested}}\n{"id":"deep-2","act":"pass"}\n`);
    expect(await backfill(platform, { id: 'deep', source: { kind: 'jsonl', path: deep } })).toMatchObject({
      counts: { completed: 2, dead: 1 },
    });
  });

  it('ends what it has open when its row was cancelled, also when there is nothing left to feed', async () => {
    const id = 'row-cancelled';
    const handle = await startBackfill(platform, { id, source: await jsonl(stack.folder, id, records(id, 2, 'wait')) });
    await untilRow(platform, `select 1 from attempts where id = '${id}-0'`);
    await handle.signal(BackfillSignal.pause);
    await platform.store.backfills.setState(id, 'cancelled', BY);
    await handle.signal(BackfillSignal.resume);
    expect(await handle.result()).toMatchObject({ counts: { ...NONE, cancelled: 2 } });
    expect(await platform.store.ledger.openBatches({ backfill: id })).toEqual([]);
  });

  it('waits while its row is paused, whoever paused it', async () => {
    const id = 'row-paused';
    await platform.store.backfills.create(
      { id, pipeline: 'acts', scope: id, concurrency: 2, source: await jsonl(stack.folder, id, records(id, 4)) },
      BY,
    );
    await platform.store.backfills.setState(id, 'paused', BY);
    const result = platform.client.workflow.execute('Backfill', {
      taskQueue: 'autoflow-control',
      workflowId: `backfill/${id}`,
      args: [{ backfillId: id }],
    });
    await untilRow(platform, `select 1 from pg_stat_activity where query ilike 'listen%autoflow_backfills%'`);
    expect(await platform.store.backfills.get(id)).toMatchObject({ cursor: 0 });
    await platform.store.backfills.setState(id, 'running', BY);
    expect(await result).toMatchObject({ counts: { ...NONE, completed: 4 } });
  });

  it.each(['signal', 'cancellation'] as const)('leaves nothing running when it is cancelled by %s', async (way) => {
    const id = `cancel-${way}`;
    const handle = await startBackfill(platform, {
      id,
      concurrency: 2,
      batchRecords: 2,
      source: await jsonl(stack.folder, id, records(id, 20, 'wait')),
    });
    await untilRow(platform, `select 1 from autoflow.batches where scope = '${id}' having count(*) = 2`);
    if (way === 'signal') {
      await handle.signal(BackfillSignal.cancel);
      expect(await handle.result()).toMatchObject({ counts: { ...NONE, cancelled: expect.any(Number) } });
    } else {
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    }
    const row = await platform.store.backfills.get(id);
    const read = row?.progress.read ?? 0;
    expect(row).toMatchObject({ state: 'cancelled', progress: { settled: read, counts: { ...NONE, cancelled: read } } });
    // What was open, and what was read ahead of it and waited.
    expect(read).toBeGreaterThan(4);
    expect(read).toBeLessThan(20);
    expect(await platform.store.ledger.records({ pipeline: 'acts', scope: id, state: 'cancelled', limit: 99 })).toHaveLength(read);
    expect(await platform.store.inbox.list({ pipeline: 'acts', scope: id, limit: 1 })).toEqual([]);
    expect(await platform.store.ledger.openBatches({ pipeline: 'acts', scope: id })).toEqual([]);
  });

  it('runs the records of an execution again that somebody terminated', async () => {
    const id = 'terminated';
    const handle = await startBackfill(platform, {
      id,
      concurrency: 1,
      batchRecords: 3,
      source: await jsonl(stack.folder, id, [...records(id, 3, 'wait'), { id: `${id}-3`, act: 'pass' }]),
    });
    await untilRow(platform, `select 1 from attempts where id = '${id}-0'`);
    await (await anExecution(id)).terminate('by an operator');
    await platform.sql.query('insert into released values (true)');
    expect(await handle.result()).toMatchObject({ read: 4, settled: 4, counts: { ...NONE, completed: 4 } });
    await platform.sql.query('delete from released');
  });

  it('continues as new, and goes on where it stood', async () => {
    const id = 'long';
    const handle = await startBackfill(platform, {
      id,
      concurrency: 1,
      batchRecords: 1,
      source: await jsonl(stack.folder, id, records(id, 8)),
      workflow: { budgetMs: 1, feedsPerRun: 2 },
    });
    expect(await handle.result()).toMatchObject({ read: 8, settled: 8, counts: { ...NONE, completed: 8 } });
    const { runId } = await platform.client.workflow.getHandle(`backfill/${id}`).describe();
    expect(runId).not.toBe(handle.firstExecutionRunId);
    expect(await sinkRows(id)).toBe(8);
  });

  it('survives a graceful restart of its worker', async () => {
    const id = 'restart';
    const handle = await startBackfill(platform, {
      id,
      concurrency: 2,
      batchRecords: 2,
      source: await jsonl(stack.folder, id, records(id, 40)),
    });
    await untilRow(platform, `select 1 from autoflow.backfills where id = '${id}' and settled >= 10`);
    await worker.stop();
    worker = await platform.startWorker();
    expect(await handle.result()).toMatchObject({ read: 40, settled: 40, counts: { ...NONE, completed: 40 } });
    expect(await sinkRows(id)).toBe(40);
  });

  it('survives SIGKILL of its worker: nothing is lost, what is stored again replaces itself', { timeout: 180_000 }, async () => {
    await worker.stop();
    const id = 'killed';
    const first = await startWorkerProcess(platform, stack.databaseUrl);
    const handle = await startBackfill(platform, {
      id,
      concurrency: 3,
      batchRecords: 4,
      source: await jsonl(stack.folder, id, records(id, 72)),
    });
    await untilRow(platform, `select 1 from autoflow.backfills where id = '${id}' and settled >= 20`);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = await startWorkerProcess(platform, stack.databaseUrl);
    expect(await handle.result()).toMatchObject({ read: 72, settled: 72, counts: { ...NONE, completed: 72 } });
    expect(await sinkRows(id, 'count(*)')).toBe(72);
    // At most the batches that were under way.
    expect(await sinkRows(id)).toBeLessThanOrEqual(72 + 3 * 4);
    expect((await platform.store.ledger.outcomeDigest('acts', id)).counts).toEqual({ ...NONE, completed: 72 });
    second.kill('SIGTERM');
    await once(second, 'exit');
  });
});

/** The built worker process: what a container runs. */
async function startWorkerProcess({ options }: Platform, databaseUrl: string): Promise<ChildProcess> {
  const process_ = spawn(process.execPath, [fileURLToPath(new URL('../../../apps/worker/dist/main.js', import.meta.url))], {
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: options.temporal.address,
      TEMPORAL_NAMESPACE: options.temporal.namespace,
      DATABASE_URL: databaseUrl,
      AUTOFLOW_RELEASES: options.releases,
      AUTOFLOW_BATCHES: options.batchStore.driver === 'file' ? `file:${options.batchStore.folder}` : 'postgres',
      AUTOFLOW_SECRET_TEST_DATABASE_URL: databaseUrl,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const chunk of process_.stdout!) if (String(chunk).includes('worker started')) break;
  process_.stdout!.resume();
  return process_;
}
