/** The way in by COPY: nobody waits for an answer, so what is refused becomes a dead letter under a key of its own. */
import type { Fields } from '@autoflow/pipeline';
import type { Database, Sql } from './database.js';
import type { Bounds, FeederStore, Landed } from './feeder.model.js';
import type { NewRecord } from './inbox.model.js';
import { acceptInto } from './inbox.store.js';
import { notify } from './notify.js';

type Take = Parameters<FeederStore['drainLanding']>[1];
interface Refused {
  readonly landed: Landed;
  /** What can be kept of it. */
  readonly record: Fields;
  readonly code: 'INVALID_RECORD' | 'KEY_CONFLICT';
  readonly message: string;
}

/** By their size as stored first, which costs nothing: of what is far beyond the bound nothing is read, only to be left. */
const HEAD = `
with locked as (
  select id, pipeline, record, arrived_at from autoflow.landing
   where pipeline in (select name from autoflow.pipelines) order by id limit $1 for update skip locked),
stored as (
  select *, row_number() over head as n, sum(pg_column_size(record)) over head as stored
    from locked window head as (order by id rows unbounded preceding)),
sized as (
  select *, sum(octet_length(record::text)) over (order by id rows unbounded preceding) as size from stored where n = 1 or stored <= $2)
select id, pipeline, record, arrived_at as "arrivedAt" from sized where n = 1 or size <= $2 order by id`;

/** Rows for a pipeline that is not there wait until it is. */
export async function drainLanding(database: Database, bounds: Bounds, take: Take): Promise<number> {
  return database.transaction(async (sql) => {
    const rows = await sql.query<Landed & { pipeline: string }>(HEAD, [bounds.records, bounds.bytes]);
    if (rows.length === 0) return 0;
    const pipelines = [...new Set(rows.map(({ pipeline }) => pipeline))].sort();
    for (const pipeline of pipelines)
      await takeIn(
        sql,
        pipeline,
        rows.filter((row) => row.pipeline === pipeline),
        take,
      );
    await sql.query('delete from autoflow.landing where id = any ($1)', [rows.map(({ id }) => id)]);
    return rows.length;
  });
}

export const STRANDED = `
select l.pipeline, count(*) as records, min(l.arrived_at) as "oldestAt" from autoflow.landing l
 where ($1::text is null or l.pipeline = $1) and not exists (select from autoflow.pipelines p where p.name = l.pipeline)
 group by 1 order by 2 desc, 1`;

async function takeIn(sql: Sql, pipeline: string, rows: readonly Landed[], take: Take): Promise<void> {
  const refused: Refused[] = [];
  const taken: { landed: Landed; record: NewRecord }[] = [];
  for (const landed of rows) {
    const record = await take(pipeline, landed.record);
    if ('problem' in record) refused.push({ landed, record: record.record, code: 'INVALID_RECORD', message: record.problem });
    else taken.push({ landed, record });
  }
  const answers = await acceptInto(sql, {
    pipeline,
    scope: 'live',
    records: taken.map(({ record, landed: { arrivedAt } }) => ({ ...record, arrivedAt })),
  });
  answers.forEach(({ state }, at) => {
    const { landed, record } = taken[at]!;
    const message = `the key '${record.key}' is there already with other content`;
    if (state === 'conflict') refused.push({ landed, record: record.record, code: 'KEY_CONFLICT', message });
  });
  if (refused.length > 0) await bury(sql, pipeline, refused);
}

async function bury(sql: Sql, pipeline: string, refused: readonly Refused[]): Promise<void> {
  await sql.query(
    `with given as (
       select 'landing-' || g.id as key, g.arrived_at, g.code, g.message, g.record::json as record, v.name as version, v.release
         from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], string_to_array($6, e'\\n')) g (id, arrived_at, code, message, record)
         join autoflow.pipelines p on p.name = $1 join autoflow.versions v on v.pipeline = p.name and v.name = p.stable_version),
     dead as (
       insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at, ended_by, reason, message)
       select $1, 'live', key, 'dead', '', version, release, arrived_at, now(), 'input', code, message from given on conflict do nothing)
     insert into autoflow.dead_letters (pipeline, scope, key, batch_id, version, release, died_in, code, message, record)
     select $1, 'live', key, '', version, release, 'input', code, message, record from given`,
    [
      pipeline,
      refused.map(({ landed }) => String(landed.id)),
      refused.map(({ landed }) => landed.arrivedAt),
      refused.map(({ code }) => code),
      refused.map(({ message }) => message),
      refused.map(({ record }) => JSON.stringify(record)).join('\n'),
    ],
  );
  await notify(sql, ['autoflow_outcomes'], pipeline);
}
