import { findBatch, openBatches } from './batch-row.js';
import { closeBatch } from './close-batch.js';
import type { Database } from './database.js';
import { NotFoundError } from './errors.js';
import type { BatchLedger, DeadLetterRow, RecordRow } from './ledger.model.js';
import { openBatch } from './open-batch.js';
import { outcomeDigest } from './outcome-digest.js';
import { many, one } from './rows.js';

const RECORD = `select pipeline, scope, key, state, batch_id as "batchId", version, release, arrived_at as "arrivedAt", ended_at as "endedAt", output,
  case when state = 'filtered' then json_build_object('by', ended_by, 'reason', reason) end as filtered,
  case when state = 'dead' then json_build_object('in', ended_by, 'code', reason, 'message', message) end as death
  from autoflow.records`;
const DEAD_LETTER = `select d.id::text as id, d.pipeline, d.scope, d.key, d.version, d.release, d.died_in as "in", d.code, d.message,
  d.died_at as "diedAt", d.record from autoflow.dead_letters d`;
/** One whose record was run again and lived is history. */
const STILL_DEAD = `exists (
  select from autoflow.records r where r.pipeline = d.pipeline and r.scope = d.scope and r.key = d.key and r.batch_id = d.batch_id and r.state = 'dead')`;

/** Batches and the current outcome of every record. `open` and `close` are one transaction each, and may be repeated. */
export function batchLedger(database: Database): BatchLedger {
  return {
    open: (request) => openBatch(database, request),
    batch: (id) => findBatch(database, id),
    openBatches: (filter) => openBatches(database, filter),
    requireMemory: (batchId, stage, memoryMb) => requireMemory(database, batchId, stage, memoryMb),
    close: (request) => closeBatch(database, request),
    record: (pipeline, scope, key) =>
      one<RecordRow>(database, `${RECORD} where pipeline = $1 and scope = $2 and key = $3`, [pipeline, scope, key]),
    ended: (pipeline, scope, keys) =>
      many<RecordRow>(
        database,
        `${RECORD} r where pipeline = $1 and scope = $2 and key = any ($3) and state <> 'running'
           and not exists (select from autoflow.inbox i where i.pipeline = r.pipeline and i.scope = r.scope and i.key = r.key)`,
        [pipeline, scope, keys],
      ),
    records: (filter) => records(database, filter),
    deadLetter: (pipeline, id) => deadLetter(database, pipeline, id),
    deadLetters: (filter) => deadLetters(database, filter),
    outcomeDigest: (pipeline, scope) => outcomeDigest(database, pipeline, scope),
  };
}

/** Tells the hosts when the class is new for this batch. */
async function requireMemory(database: Database, batchId: string, stage: string, memoryMb: number): Promise<void> {
  const [found] = await database.query(
    `with added as (
       update autoflow.batches set memory_mb = jsonb_set(memory_mb, array[$2::text], coalesce(memory_mb -> $2, '[]') || to_jsonb($3::int))
        where id = $1 and state = 'open' and not coalesce(memory_mb -> $2, '[]') @> to_jsonb($3::int) returning pipeline)
     select (select pg_notify('autoflow_pools', pipeline) from added) from autoflow.batches where id = $1`,
    [batchId, stage, memoryMb],
  );
  if (found === undefined) throw new NotFoundError('batch', batchId);
}

/** In order of scope and key; `after` is the last key seen, or `scope/key` when the filter names no scope. */
function records(
  database: Database,
  { pipeline, scope, state, reason, since, limit, after }: Parameters<BatchLedger['records']>[0],
): Promise<RecordRow[]> {
  const slash = after?.indexOf('/') ?? -1;
  const [lastScope, lastKey] = scope !== undefined ? [scope, after] : [after?.slice(0, slash), after?.slice(slash + 1)];
  return many<RecordRow>(
    database,
    `${RECORD} where pipeline = $1 and ($2::text is null or scope = $2) and ($3::text is null or state = $3)
       and ($5::text is null or (scope, key) > ($4::text, $5::text)) and ($7::text is null or reason = $7)
       and ($8::timestamptz is null or ended_at >= $8 or (ended_at is null and arrived_at >= $8)) order by scope, key limit $6`,
    [pipeline, scope, state, lastScope, lastKey, limit, reason, since],
  );
}

/** Ids are numbers; whatever else is asked for is not there. */
async function deadLetter(database: Database, pipeline: string, id: string): Promise<DeadLetterRow | undefined> {
  if (!/^[0-9]{1,18}$/.test(id)) return undefined;
  return one<DeadLetterRow>(database, `${DEAD_LETTER} where d.pipeline = $1 and d.id = $2 and ${STILL_DEAD}`, [pipeline, id]);
}

/** Newest first; only those whose record is dead by now. `after` is the last id seen. */
function deadLetters(
  database: Database,
  { pipeline, scope, code, limit, after }: Parameters<BatchLedger['deadLetters']>[0],
): Promise<DeadLetterRow[]> {
  return many<DeadLetterRow>(
    database,
    `${DEAD_LETTER} where d.pipeline = $1 and ($2::text is null or d.scope = $2) and ($3::text is null or d.code = $3) and ($4::bigint is null or d.id < $4)
       and ${STILL_DEAD} order by d.id desc limit $5`,
    [pipeline, scope, code, after, limit],
  );
}
