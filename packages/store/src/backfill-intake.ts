/** What a backfill reads goes into the inbox and its cursor moves, together or not at all. */
import { findBackfill } from './backfills.store.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, NotRunningError, StaleCursorError } from './errors.js';
import { insertWaiting } from './inbox-rows.js';
import type { BackfillRow, BackfillStore } from './backfills.model.js';
import { notify } from './notify.js';
import { checkKeys } from './text.js';

type Portion = Parameters<BackfillStore['put']>[0];

export async function putPortion(database: Database, { id, from, cursor, records }: Portion): Promise<BackfillRow> {
  checkKeys(records);
  return database.transaction(async (sql) => {
    const backfill = await findBackfill(sql, id);
    if (backfill === undefined) throw new NotFoundError('backfill', id);
    const { pipeline, scope, version } = backfill;
    const first = [...new Map(records.toReversed().map((record) => [record.key, record])).values()].reverse();
    const skipped = backfill.skipKnown ? await withOutcome(sql, pipeline, 'live', first) : new Set<string>();
    const wanted = first.filter(({ key }) => !skipped.has(key));
    const rows = wanted.map((record) => ({ ...record, backfillId: id, ...(version !== undefined && { version }) }));
    const inserted = new Set(await insertWaiting(sql, { pipeline, scope }, rows));
    const known = await removeKnown(sql, backfill, [...inserted]);
    const waiting = inserted.size - known;
    await advanceCursor(sql, { id, from, cursor }, { read: records.length, settled: records.length - waiting, skipped: skipped.size });
    if (waiting > 0) await notify(sql, ['autoflow_inbox'], pipeline);
    return (await findBackfill(sql, id))!;
  });
}

/** Keys that the scope has done with. */
async function withOutcome(sql: Sql, pipeline: string, scope: string, records: readonly { key: string }[]): Promise<Set<string>> {
  const rows = await sql.query<{ key: string }>(
    `select key from autoflow.records where pipeline = $1 and scope = $2 and key = any ($3) and state <> 'running'`,
    [pipeline, scope, records.map(({ key }) => key)],
  );
  return new Set(rows.map(({ key }) => key));
}

/** After the insertion, so that a record that is being claimed meanwhile is seen either here or there. */
async function removeKnown(sql: Sql, { pipeline, scope }: BackfillRow, keys: readonly string[]): Promise<number> {
  const removed = await sql.query(
    `delete from autoflow.inbox i using autoflow.records r
      where i.pipeline = $1 and i.scope = $2 and i.key = any ($3) and r.pipeline = $1 and r.scope = $2 and r.key = i.key returning i.id`,
    [pipeline, scope, keys],
  );
  return removed.length;
}

/** Last, so that feeders of one backfill hold each other up as briefly as can be. */
async function advanceCursor(
  sql: Sql,
  { id, from, cursor }: Pick<Portion, 'id' | 'from' | 'cursor'>,
  { read, settled, skipped }: { read: number; settled: number; skipped: number },
): Promise<void> {
  const moved = await sql.query(
    `update autoflow.backfills set cursor = $2, read = read + $3, settled = settled + $4, skipped = skipped + $6
      where id = $1 and cursor = $5 and state = 'running' returning id`,
    [id, cursor, read, settled, from, skipped],
  );
  if (moved.length > 0) return;
  const [row] = await sql.query<{ cursor: number; state: string }>('select cursor, state from autoflow.backfills where id = $1', [id]);
  if (row === undefined) throw new NotFoundError('backfill', id);
  if (row.cursor !== from) throw new StaleCursorError(id, from, row.cursor);
  throw new NotRunningError(id, row.state);
}

/** Once its row is cancelled no feeder claims them any more. */
export async function cancelWaiting(database: Database, id: string): Promise<number> {
  const [gone] = await database.query<{ n: number }>(
    `with gone as (
       delete from autoflow.inbox where backfill_id = $1 returning pipeline, scope, key, digest, arrived_at, feeds),
     recorded as (
       insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at, digest, feeds)
       select gone.pipeline, gone.scope, gone.key, 'cancelled', '', v.name, v.release, gone.arrived_at, now(), gone.digest, gone.feeds
         from gone
         join autoflow.backfills b on b.id = $1
         join autoflow.pipelines p on p.name = gone.pipeline
         join autoflow.versions v on v.pipeline = p.name and v.name = coalesce(b.version, p.stable_version)
        order by gone.key on conflict (pipeline, scope, key) do nothing),
     progress as (
       update autoflow.backfills set settled = settled + (select count(*) from gone), cancelled = cancelled + (select count(*) from gone)
        where id = $1)
     select count(*) as n from gone`,
    [id],
  );
  return gone!.n;
}
