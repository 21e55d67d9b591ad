/** Admission: the batch row and its records are there together or not at all. */
import { findBatch } from './batch-row.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, StaleVersionError } from './errors.js';
import type { BatchLedger, BatchRow } from './ledger.model.js';
import { holdStable } from './stable-lock.js';
import { checkKeys } from './text.js';

type Request = Parameters<BatchLedger['open']>[0];

export async function openBatch(database: Database, request: Request): Promise<{ row: BatchRow; known: readonly string[] }> {
  const { batch, records, replace, followsStable } = request;
  checkKeys(records);
  return database.transaction(async (sql) => {
    const isNew = await insertBatch(sql, batch);
    if (!isNew) return openedBefore(sql, batch.id);
    const admitted = await admit(sql, batch, records, replace);
    const known = records.map(({ key }) => key).filter((key) => !admitted.has(key));
    await recordAdmission(sql, batch.id, admitted.size, known);
    await announcePools(sql, batch.id);
    if (followsStable) await mustBeStable(sql, batch);
    return { row: (await findBatch(sql, batch.id))!, known };
  });
}

/** Waits for another transaction that is opening the same batch, if there is one. */
async function insertBatch(sql: Sql, batch: Request['batch']): Promise<boolean> {
  const inserted = await sql.query(
    `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing returning id`,
    [
      batch.id,
      batch.pipeline,
      batch.version,
      batch.release,
      batch.scope,
      batch.executionId,
      JSON.stringify(batch.ref),
      JSON.stringify(batch.memoryMb),
    ],
  );
  return inserted.length > 0;
}

async function openedBefore(sql: Sql, id: string): Promise<{ row: BatchRow; known: readonly string[] }> {
  const [{ known } = { known: [] }] = await sql.query<{ known: string[] }>('select known from autoflow.batches where id = $1', [id]);
  return { row: (await findBatch(sql, id))!, known };
}

/**
 * The unique key of the records table decides who is admitted, so that of two batches with the same record exactly one gets it.
 * Inserted in key order: two batches that overlap wait for each other instead of dead-locking.
 */
async function admit(sql: Sql, batch: Request['batch'], records: Request['records'], replace: boolean): Promise<ReadonlySet<string>> {
  const conflict = replace
    ? `do update set state = 'running', batch_id = excluded.batch_id, version = excluded.version, release = excluded.release,
         arrived_at = excluded.arrived_at, digest = excluded.digest, ended_at = null, output = null, ended_by = null, reason = null, message = null`
    : 'do nothing';
  const admitted = await sql.query<{ key: string }>(
    `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, digest)
     select $1, $2, key, 'running', $3, $4, $5, arrived_at, decode(digest, 'hex')
       from (select distinct on (key) key, arrived_at, digest
               from unnest($6::text[] collate "C", $7::timestamptz[], $8::text[]) with ordinality given (key, arrived_at, digest, n)
              order by key, n) first
      order by key
     on conflict (pipeline, scope, key) ${conflict} returning key`,
    [
      batch.pipeline,
      batch.scope,
      batch.id,
      batch.version,
      batch.release,
      records.map(({ key }) => key),
      records.map(({ arrivedAt }) => arrivedAt),
      records.map(({ digest }) => digest),
    ],
  );
  return new Set(admitted.map(({ key }) => key));
}

async function recordAdmission(sql: Sql, id: string, admitted: number, known: readonly string[]): Promise<void> {
  await sql.query(
    `update autoflow.batches set admitted = $2, known = $3,
       state = case when $2 = 0 then 'closed' else 'open' end, closed_at = case when $2 = 0 then now() end where id = $1`,
    [id, admitted, known],
  );
}

/** Until the batch is committed, the pointer stays where it is. Last of all, so that it is held still for a moment only. */
async function mustBeStable(sql: Sql, { pipeline, version }: Request['batch']): Promise<void> {
  await holdStable(sql, pipeline);
  const [found] = await sql.query<{ stable: string }>('select stable_version as stable from autoflow.pipelines where name = $1', [
    pipeline,
  ]);
  if (found === undefined) throw new NotFoundError('pipeline', pipeline);
  if (found.stable !== version) throw new StaleVersionError(pipeline, version, found.stable);
}

/** Hosts poll the pools of stable versions anyhow; they are told only of a batch that needs another one, and only if no open batch needs it already. */
export async function announcePools(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `select pg_notify('autoflow_pools', b.pipeline) from autoflow.batches b
      where b.id = $1 and b.state = 'open'
        and not exists (
          select from autoflow.pipelines p join autoflow.allocations a on a.pipeline = p.name and a.version = p.stable_version
           where p.name = b.pipeline and p.stable_version = b.version
             and b.memory_mb <@ (select jsonb_object_agg(stage, jsonb_build_array(s -> 'memoryMb')) from jsonb_each(a.stages) e (stage, s)))
        and not exists (
          select from autoflow.batches o
           where o.pipeline = b.pipeline and o.state = 'open' and o.version = b.version and o.id <> b.id and o.memory_mb @> b.memory_mb)`,
    [id],
  );
}
