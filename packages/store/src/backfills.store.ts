import { audit } from './audit.js';
import { cancelWaiting, putPortion } from './backfill-intake.js';
import type { Database, Sql } from './database.js';
import { AlreadyExistsError, NotFoundError, NotRunningError } from './errors.js';
import type { BackfillRow, BackfillStore } from './backfills.model.js';
import type { Actor } from './definitions.model.js';
import { notify } from './notify.js';
import { many, one } from './rows.js';

export const BACKFILL = `select id, pipeline, scope, version, source, record_limit as "limit", concurrency, batch_records as "batchRecords", rate,
  max_share as "maxShare", skip_known as "skipKnown", skipped, state, reason, cursor,
  json_strip_nulls(json_build_object('read', read, 'settled', settled, 'total', total, 'counts',
    json_build_object('completed', completed, 'filtered', filtered, 'dead', dead, 'cancelled', cancelled))) as progress,
  created_at as "createdAt", ended_at as "endedAt" from autoflow.backfills`;

/** Backfills. Their progress moves with what becomes of their records. */
export function backfillStore(database: Database): BackfillStore {
  return {
    create: (row, by) => database.transaction((sql) => create(sql, row, by)),
    get: (id) => findBackfill(database, id),
    list: (pipeline, limit) =>
      many<BackfillRow>(database, `${BACKFILL} where pipeline = $1 order by created_at desc, id limit $2`, [pipeline, limit]),
    running: () => many<BackfillRow>(database, `${BACKFILL} where state = 'running' order by created_at, id`, []),
    put: (portion) => putPortion(database, portion),
    cancelWaiting: (id) => cancelWaiting(database, id),
    setState: (id, state, by) => database.transaction((sql) => setState(sql, id, state, by)),
    setTotal: async (id, total) => {
      const set = await database.query('update autoflow.backfills set total = $2 where id = $1 returning id', [id, total]);
      if (set.length === 0) throw new NotFoundError('backfill', id);
    },
  };
}

async function create(sql: Sql, row: Parameters<BackfillStore['create']>[0], by: Actor): Promise<BackfillRow> {
  const inserted = await sql.query(
    `insert into autoflow.backfills (id, pipeline, scope, version, source, record_limit, concurrency, batch_records, rate, max_share, skip_known)
     select $1, name, $3, $4, $5, $6, $7, $8, $9, coalesce($10, 0.5), coalesce($11, false) from autoflow.pipelines where name = $2 on conflict do nothing returning id`,
    [
      row.id,
      row.pipeline,
      row.scope,
      row.version,
      JSON.stringify(row.source),
      row.limit,
      row.concurrency,
      row.batchRecords,
      row.rate,
      row.maxShare,
      row.skipKnown,
    ],
  );
  const after = await findBackfill(sql, row.id);
  if (after === undefined) throw new NotFoundError('pipeline', row.pipeline);
  if (inserted.length === 0) throw new AlreadyExistsError('backfill', row.id);
  await audit(sql, by, { action: 'backfill.create', pipeline: row.pipeline, after: { ...row, source: row.source } });
  await notify(sql, ['autoflow_backfills'], row.pipeline);
  return after;
}

/** Running and paused change into each other and into an end; an end is for good. The state there is may be set again. */
async function setState(sql: Sql, id: string, state: BackfillRow['state'], by: Actor): Promise<BackfillRow> {
  await sql.query('select from autoflow.backfills where id = $1 for update', [id]);
  const before = await findBackfill(sql, id);
  if (before === undefined) throw new NotFoundError('backfill', id);
  if (before.state === state) return before;
  if (before.endedAt !== undefined) throw new NotRunningError(id, before.state);
  await sql.query(`update autoflow.backfills set state = $2, reason = $3, ended_at = case when $4 then now() end where id = $1`, [
    id,
    state,
    by.reason,
    state !== 'running' && state !== 'paused',
  ]);
  await audit(sql, by, { action: 'backfill.state', pipeline: before.pipeline, before: { id, state: before.state }, after: { id, state } });
  // Feeders hear it too: what waits may be fed again.
  await notify(sql, ['autoflow_backfills'], before.pipeline);
  return (await findBackfill(sql, id))!;
}

export const findBackfill = (sql: Sql, id: string) => one<BackfillRow>(sql, `${BACKFILL} where id = $1`, [id]);
