import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '@autoflow/client';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { useTestStack } from '@autoflow/local-stack/testing';
import { recordDigest, type NewRecord } from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { BY, startPlatform, topologyOf, untilRow, type Platform } from './platform.js';

const FUSED = topologyOf({ 'measure+may-pass+perform+weigh+store': [] }, { batch: { records: 5, bytes: 1024 * 1024 } });

const CLI = fileURLToPath(new URL('../../../apps/cli/bin/autoflow.mjs', import.meta.url));

const stack = useTestStack();
let platform: Platform;
let controlPlane: ControlPlane;
let fused: string;
beforeAll(async () => {
  platform = await startPlatform(stack);
  fused = await platform.registerVersion(FUSED);
  await platform.store.definitions.setStable({ pipeline: 'acts', version: fused, by: BY });
  // Two feeders on one inbox.
  await platform.startWorker();
  await platform.startWorker(['feeder']);
  controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
});
afterAll(async () => {
  await controlPlane?.close();
  await platform?.stop();
});

const recordOf = (id: string, act: string, more: Partial<NewRecord> = {}): NewRecord => {
  const record = { id, act };
  return { key: id, record, digest: recordDigest(record), bytes: JSON.stringify(record).length, ...more };
};
const recordsOf = (prefix: string, count: number, act = 'pass', more: Partial<NewRecord> = {}) =>
  Array.from({ length: count }, (_, n) => recordOf(`${prefix}-${n}`, act, more));
const accept = (records: readonly NewRecord[], pipeline = 'acts') => platform.store.inbox.accept({ pipeline, scope: 'live', records });

/** Once every record of that prefix has an outcome, how many have which. */
async function outcomes(prefix: string, count: number): Promise<{ [state: string]: number }> {
  const of = `from autoflow.records where scope = 'live' and key like '${prefix}-%' and state <> 'running'`;
  await untilRow(platform, `select 1 ${of} having count(*) = ${count}`);
  const { rows } = await platform.sql.query<{ state: string; n: number }>(`select state, count(*)::int as n ${of} group by 1`);
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}
const sink = async (prefix: string) =>
  (
    await platform.sql.query<{ rows: number; stored: number }>(
      `select count(*)::int as rows, coalesce(sum(stored), 0)::int as stored from sink where id like '${prefix}-%'`,
    )
  ).rows[0];

it('gives every record that was accepted its one outcome, and no two feeders the same record', async () => {
  const acts = [...recordsOf('flow', 190), ...recordsOf('flow-drop', 5, 'drop'), ...recordsOf('flow-fail', 5, 'fail')];
  for (let at = 0; at < acts.length; at += 20) await accept(acts.slice(at, at + 20));
  expect(await outcomes('flow', 200)).toEqual({ completed: 190, filtered: 5, dead: 5 });
  expect(await sink('flow')).toEqual({ rows: 190, stored: 190 });
  const { rows } = await platform.sql.query(`select id from attempts where id like 'flow-%' group by id having count(*) > 1`);
  expect(rows).toEqual([]);
  expect(await platform.store.inbox.waiting('acts')).toEqual({ records: 0, bytes: 0 });
});

it('takes back what an operator terminated, and runs it again', async () => {
  await platform.sql.query('delete from released');
  await accept(recordsOf('ended', 3, 'wait'));
  await untilRow(platform, `select 1 from attempts where id like 'ended-%' having count(distinct id) > 0`);
  await untilRow(platform, `select 1 from autoflow.records where key like 'ended-%' and state = 'running' having count(*) = 3`);
  for (const { executionId } of await platform.store.ledger.openBatches({ pipeline: 'acts', scope: 'live' }))
    await platform.client.workflow.getHandle(executionId).terminate('by an operator');
  await platform.sql.query('insert into released values (true)');
  expect(await outcomes('ended', 3)).toEqual({ completed: 3 });
  expect(await sink('ended')).toMatchObject({ rows: 3 });
  const { rows } = await platform.sql.query(`select feeds from autoflow.records where key like 'ended-%'`);
  expect(rows.every(({ feeds }) => feeds >= 2)).toBe(true);
});

it('takes what landed by COPY', async () => {
  const rows = [
    ['acts', '{"id":"landed-0","act":"pass"}'],
    ['acts', '{"id":"landed-0","act":"drop"}'],
    ['acts', '[1]'],
    ['acts', '{"id":"landed-1"}'],
    ['nowhere', '{}'],
  ];
  expect(await copy('copy autoflow.landing (pipeline, record) from stdin', rows)).toBe(5);
  await untilRow(platform, `select 1 from autoflow.dead_letters where key like 'landing-%' having count(*) = 2`);
  expect(await outcomes('landed', 2)).toEqual({ completed: 1, dead: 1 });
  const letters = await platform.store.ledger.deadLetters({ pipeline: 'acts', scope: 'live', limit: 3 });
  expect(new Map(letters.map(({ code, record }) => [record, code]))).toEqual(
    new Map<object, string>([
      [{ record: [1] }, 'INVALID_RECORD'],
      [{ id: 'landed-1' }, 'INVALID_RECORD'],
      [{ id: 'landed-0', act: 'drop' }, 'KEY_CONFLICT'],
    ]),
  );
  expect((await platform.sql.query('select pipeline from autoflow.landing')).rows).toEqual([{ pipeline: 'nowhere' }]);
  const token = await platform.store.access.createToken('prometheus', 'viewer');
  const metrics = await fetch(`${controlPlane.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect(await metrics.text()).toMatch(/^autoflow_stranded_records 1$/m);
});

it('runs a dead letter again under the key of its record only', async () => {
  const { deadLetters } = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('redriver', 'operator') });
  const open = async (filter: object) => (await deadLetters.list('acts', { scope: 'live', ...filter })).items;
  const [conflict] = await open({ code: 'KEY_CONFLICT' });
  const invalid = (await open({ code: 'INVALID_RECORD', stage: 'input' })).filter(({ key }) => key !== 'landed-1');
  for (const { id } of [conflict!, ...invalid])
    await expect(deadLetters.redrive('acts', id, { reason: 'again' })).rejects.toMatchObject({ code: 'DEAD_LETTER_KEYLESS' });
  const again = { done: 1, skipped: 0, keyless: 2 };
  expect(await deadLetters.redriveMany('acts', { stage: 'input', reason: 'all' })).toMatchObject(again);
  await untilRow(platform, `select from autoflow.records where key = 'landed-1' and state = 'dead' and batch_id <> ''`);
  expect(await deadLetters.redriveMany('acts', { stage: 'input', limit: 1, reason: 'all' })).toMatchObject(again);
  await accept([recordOf('landed-2', 'pass')]);
  expect(await outcomes('landed', 3)).toEqual({ completed: 2, dead: 1 });
  expect(await sink('landed')).toEqual({ rows: 2, stored: 2 });
});

/** COPY … FROM STDIN, as `\copy` of psql does it. Answers how many rows went in. */
async function copy(statement: string, rows: readonly (readonly string[])[]): Promise<number> {
  const client = await platform.sql.connect();
  try {
    const query = Object.assign(new pg.Query(statement), {
      handleCopyInResponse(connection: { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }) {
        for (const row of rows) connection.sendCopyFromChunk(Buffer.from(`${row.join('\t')}\n`));
        connection.endCopyFrom();
      },
    });
    const ended = once(client.query(query), 'end') as Promise<[pg.QueryResult]>;
    return (await ended)[0].rowCount ?? 0;
  } finally {
    client.release();
  }
}

it('starts what a feeder had claimed and, being killed, did not come to start', async () => {
  await platform.store.arms.setFeeding({ pipeline: 'acts', paused: true, by: BY });
  await accept(recordsOf('orphan', 2));
  await platform.sql
    .query(`insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, admitted, arm, opened_at)
    select 'orphan', pipeline, version, release, 'live', 'acts/live/orphan', ref, memory_mb, 2, 'stable', now()
      from autoflow.batches where pipeline = 'acts' and arm = 'stable' limit 1`);
  const batches = openBatchStore(platform.options.batchStore);
  const states = recordsOf('orphan', 2).map(({ key, record }, index) => ({
    index,
    key,
    arrivedAt: new Date().toISOString(),
    fields: record,
  }));
  const ref = await batches.write({ pipeline: 'acts', batchId: 'orphan', label: 'input' }, states);
  await platform.sql.query(
    `with gone as (delete from autoflow.inbox where key like 'orphan-%' returning key, digest),
          running as (insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, digest, feeds)
                      select 'acts', 'live', key, 'running', 'orphan', b.version, b.release, now(), digest, 1
                        from gone, autoflow.batches b where b.id = 'orphan')
     update autoflow.batches set ref = $1 where id = 'orphan'`,
    [JSON.stringify(ref)],
  );
  await batches.close();
  expect(await outcomes('orphan', 2)).toEqual({ completed: 2 });
  expect(await sink('orphan')).toEqual({ rows: 2, stored: 2 });
  await platform.store.arms.setFeeding({ pipeline: 'acts', paused: false, by: BY });
});

it('takes back what is in flight when `rollback --abort` says so, and runs it on the version of then', async () => {
  await platform.sql.query('delete from released');
  const { version: before } = (await platform.store.definitions.pipeline('acts'))!.stable;
  await accept(recordsOf('taken-back', 3, 'wait'));
  await untilRow(platform, `select 1 from attempts where id like 'taken-back-%'`);
  const told = await rollback('--to', 'v1', '--abort', '--reason', 'month end');
  expect(told).toMatchObject({ from: { version: before }, to: { version: 'v1', inFlight: { version: before, finishing: 0 } } });
  expect(told.to.inFlight.aborted).toBeGreaterThan(0);
  await untilRow(platform, `select 1 from autoflow.records where key like 'taken-back-%' and version = 'v1' having count(*) = 3`);
  await platform.sql.query('insert into released values (true)');
  expect(await outcomes('taken-back', 3)).toEqual({ completed: 3 });
  expect(await sink('taken-back')).toMatchObject({ rows: 3 });
  expect(await platform.store.ledger.openBatches({ pipeline: 'acts' })).toEqual([]);
});

/** The built command, against the API. */
async function rollback(...args: string[]): Promise<{ to: { inFlight: { aborted: number } } }> {
  const token = await platform.store.access.createToken('operator', 'operator');
  const all = [CLI, 'rollback', 'acts', ...args, '--json', '--api', controlPlane.url, '--token', token];
  const { stdout } = await promisify(execFile)(process.execPath, all);
  return JSON.parse(stdout) as { to: { inFlight: { aborted: number } } };
}

it('lets records linger for others, until one must not wait', async () => {
  const lingering = await platform.registerVersion({ ...FUSED, batch: { records: 50, bytes: 1024 * 1024 }, lingerMs: 600_000 });
  const { version: before } = (await platform.store.definitions.pipeline('acts'))!.stable;
  await platform.store.definitions.setStable({ pipeline: 'acts', version: lingering, by: BY });
  await accept(recordsOf('lingers', 3));
  // Of another pipeline, so that feeders have looked since.
  await accept([recordOf('looked-0', 'pass')], 'appends');
  expect(await outcomes('looked', 1)).toEqual({ completed: 1 });
  expect(await platform.store.inbox.waiting('acts')).toMatchObject({ records: 3 });
  await accept([recordOf('lingers-due', 'pass', { withinMs: 0 })]);
  expect(await outcomes('lingers', 4)).toEqual({ completed: 4 });
  await platform.store.definitions.setStable({ pipeline: 'acts', version: before, by: BY });
});

it('does not run again what a plain write may have written', async () => {
  await platform.sql.query('delete from released');
  await accept(recordsOf('plain', 2, 'wait'), 'appends');
  await untilRow(platform, `select 1 from attempts where id like 'plain-%' having count(distinct id) = 2`);
  for (const { executionId } of await platform.store.ledger.openBatches({ pipeline: 'appends' }))
    await platform.client.workflow.getHandle(executionId).terminate('by an operator');
  expect(await outcomes('plain', 2)).toEqual({ dead: 2 });
  const letters = await platform.store.ledger.deadLetters({ pipeline: 'appends', scope: 'live', limit: 9 });
  expect(letters.map(({ code }) => code)).toEqual(['NOT_RERUN', 'NOT_RERUN']);
  expect((await platform.sql.query(`select 1 from attempts where id like 'plain-%'`)).rowCount).toBe(2);
});
