/** A claim: records leave the inbox, their batch is in the books, its file is written; together or not at all. */
import type { BatchRef } from '@autoflow/topology';
import { findArms } from './arms.store.js';
import { findBatch } from './batch-row.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, NotRunningError, StaleVersionError } from './errors.js';
import type { Claim, ClaimedRecord } from './feeder.model.js';
import { firstOfArm } from './inbox-head.js';
import type { BatchRow } from './ledger.model.js';
import { announcePools } from './open-batch.js';
import { dense } from './rows.js';
import { holdStable } from './stable-lock.js';

interface Locked extends ClaimedRecord {
  readonly id: number;
  readonly replace: boolean;
}

export async function claimBatch(
  database: Database,
  claim: Claim,
  write: (records: readonly ClaimedRecord[]) => Promise<BatchRef>,
): Promise<BatchRow | undefined> {
  return database.transaction(async (sql) => {
    // The server ends the session of a feeder that stands still, with it the locks, and its commit fails.
    await sql.query(`select set_config('idle_in_transaction_session_timeout', $1, true)`, [`${claim.leaseMs}ms`]);
    const records = await lockHead(sql, claim);
    if (records.length === 0) return undefined;
    const admitted = await admit(sql, claim, records);
    const ids = records.map(({ id }) => id);
    await sql.query('delete from autoflow.inbox where id = any ($1)', [ids]);
    const { backfill } = claim.stream;
    if (backfill !== undefined) await settleKnown(sql, backfill.id, records.length - admitted.length);
    if (admitted.length > 0) await insertBatch(sql, claim, admitted.length, await write(admitted));
    await mustStillBeAllowed(sql, claim);
    return admitted.length > 0 ? findBatch(sql, claim.batch.id) : undefined;
  });
}

/**
 * Up to the first bound that is reached; a record that alone is larger is a batch by itself. Large records lie outside of their rows: those
 * beyond the bound are locked, but never read.
 */
const headOf = (where: string): string => `
select id, key, record, arrived_at as "arrivedAt", problem, replace, trace, due_at as "dueAt"
  from (select *, sum(bytes) over (order by id rows unbounded preceding) as size
          from (select id, key, record, bytes, arrived_at, problem, replace, trace, due_at from autoflow.inbox
                 where ${where} order by id limit $5::int for update skip locked) locked) summed
 where size <= $6 or size = bytes order by id`;

async function lockHead(sql: Sql, { stream, buckets, bounds }: Claim): Promise<Locked[]> {
  const rows = await sql.query<Locked>(headOf(firstOfArm(buckets, bounds.records)), [
    stream.pipeline,
    stream.stream,
    ...buckets,
    bounds.records,
    bounds.bytes,
  ]);
  return rows.map(dense);
}

/** The unique key of the records table decides; one that is run again replaces its outcome, but never a run that is under way. */
async function admit(sql: Sql, { batch }: Claim, records: readonly Locked[]): Promise<readonly Locked[]> {
  const admitted = new Set<string>();
  for (const replace of [false, true]) {
    const ids = records.filter((record) => record.replace === replace).map(({ id }) => id);
    if (ids.length === 0) continue;
    const rows = await sql.query<{ key: string }>(
      `insert into autoflow.records as r (pipeline, scope, key, state, batch_id, version, release, arrived_at, digest, feeds)
       select pipeline, scope, key, 'running', $2, $3, $4, arrived_at, digest, feeds + 1 from autoflow.inbox where id = any ($1) order by key
       on conflict (pipeline, scope, key) ${replace ? REPLACE : 'do nothing'} returning key`,
      [ids, batch.id, batch.version, batch.release],
    );
    for (const { key } of rows) admitted.add(key);
  }
  return admitted.size === records.length ? records : records.filter(({ key }) => admitted.has(key));
}

const REPLACE = `do update set state = 'running', batch_id = excluded.batch_id, version = excluded.version, release = excluded.release,
  arrived_at = excluded.arrived_at, digest = excluded.digest, feeds = excluded.feeds, ended_at = null, output = null, ended_by = null,
  reason = null, message = null where r.state <> 'running'`;

async function settleKnown(sql: Sql, backfill: string, known: number): Promise<void> {
  if (known > 0) await sql.query('update autoflow.backfills set settled = settled + $2 where id = $1', [backfill, known]);
}

/** Open from now on, and not since the claim began: what its file took is no delay of its start. */
async function insertBatch(sql: Sql, { stream, batch, arm, probe }: Claim, admitted: number, ref: BatchRef): Promise<void> {
  await sql.query(
    `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, backfill_id, admitted, arm, probe, opened_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp())`,
    [
      batch.id,
      stream.pipeline,
      batch.version,
      batch.release,
      stream.scope,
      batch.executionId,
      JSON.stringify(ref),
      JSON.stringify(batch.memoryMb),
      stream.backfill?.id,
      admitted,
      arm,
      probe,
    ],
  );
  await announcePools(sql, batch.id);
}

/** Last of all, so that pointer and backfill are held still for a moment only. */
async function mustStillBeAllowed(sql: Sql, { stream, arms, batch }: Claim): Promise<void> {
  const { pipeline, backfill } = stream;
  await holdStable(sql, pipeline);
  const now = await findArms(sql, pipeline);
  if (now === undefined) throw new NotFoundError('pipeline', pipeline);
  if (now.feedingPaused) throw new NotRunningError(pipeline, 'paused');
  if (arms !== undefined && (now.revision !== arms.revision || now.stable.revision !== arms.stable.revision))
    throw new StaleVersionError(pipeline, batch.version, now.stable.version);
  if (backfill === undefined) return;
  const [row] = await sql.query<{ state: string }>('select state from autoflow.backfills where id = $1 for share', [backfill.id]);
  if (row === undefined || row.state === 'paused' || row.state === 'cancelled')
    throw new NotRunningError(backfill.id, row?.state ?? 'missing');
}
