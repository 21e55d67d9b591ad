/**
 * The way in by COPY: nobody waits for an answer, so what is refused becomes a dead letter. It goes by the record's own key where that can be
 * read and is free; else by one made up for it, and then it is not run again: it would be another record.
 */
import type { Fields } from '@autoflow/pipeline';
import type { Database, Sql } from './database.js';
import type { Bounds, FeederStore, Landed } from './feeder.model.js';
import type { NewRecord } from './inbox.model.js';
import { acceptInto } from './inbox.store.js';
import { notify } from './notify.js';
import { digestOf } from './record-digest.js';

type Take = Parameters<FeederStore['drainLanding']>[1];
interface Invalid {
  readonly landed: Landed;
  /** Its own, where it can be read. */
  readonly key?: string;
  /** What can be kept of it. */
  readonly record: Fields;
  readonly problem: string;
}
interface Refused {
  readonly landed: Landed;
  readonly key: string;
  readonly record: Fields;
  readonly code: 'INVALID_RECORD' | 'KEY_CONFLICT';
  readonly message: string;
}

const LIVE = 'live';
const madeUpKey = ({ id }: Landed): string => `landing-${id}`;
/** Of a dead letter, as `d`: its key was made up. */
export const KEY_IS_MADE_UP = `(d.batch_id = '' and d.key ~ '^landing-[0-9]+$')`;
const LIKE_MADE_UP = /^landing-[0-9]+$/;

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
  const invalid: Invalid[] = [];
  const taken: { landed: Landed; record: NewRecord }[] = [];
  for (const landed of rows) {
    const record = await take(pipeline, landed.record);
    if ('problem' in record) invalid.push({ landed, ...record });
    else taken.push({ landed, record });
  }
  const answers = await acceptInto(sql, {
    pipeline,
    scope: LIVE,
    records: taken.map(({ record, landed: { arrivedAt } }) => ({ ...record, arrivedAt })),
  });
  const conflicts = taken
    .filter((_, at) => answers[at]?.state === 'conflict')
    .map(({ landed, record: { key, record } }) => conflictOf(landed, key, record));
  const refused = [...conflicts, ...(await named(sql, pipeline, invalid))];
  if (refused.length > 0) await bury(sql, pipeline, refused);
}

function conflictOf(landed: Landed, key: string, record: Fields, more = ''): Refused {
  const message = `the key '${key}' is there already with other content${more}`;
  return { landed, key: madeUpKey(landed), record, code: 'KEY_CONFLICT', message };
}

/** A key is free if the inbox takes it, and the inbox holds it until this is committed: whoever brings a record of that key waits. */
async function named(sql: Sql, pipeline: string, invalid: readonly Invalid[]): Promise<Refused[]> {
  const own = invalid.flatMap((one) => (one.key === undefined || LIKE_MADE_UP.test(one.key) ? [] : [{ ...one, key: one.key }]));
  const records = own.map(({ key, record }) => ({ key, record, ...digestOf(record) }));
  const answers = own.length === 0 ? [] : await acceptInto(sql, { pipeline, scope: LIVE, records });
  const states = new Map(own.map(({ landed }, at) => [landed, answers[at]!.state]));
  const free = own.filter(({ landed }) => states.get(landed) === 'accepted').map(({ key }) => key);
  await sql.query('delete from autoflow.inbox where pipeline = $1 and scope = $2 and key = any ($3)', [pipeline, LIVE, free]);
  return invalid.flatMap(({ landed, key, record, problem }): Refused[] => {
    const state = states.get(landed);
    if (state === 'known') return [];
    if (state === 'conflict') return [conflictOf(landed, key!, record, `, and it is no valid record besides: ${problem}`)];
    return [{ landed, key: state === 'accepted' ? key! : madeUpKey(landed), record, code: 'INVALID_RECORD', message: problem }];
  });
}

async function bury(sql: Sql, pipeline: string, refused: readonly Refused[]): Promise<void> {
  await sql.query(
    `with given as (
       select g.key, g.arrived_at, g.code, g.message, g.record::json as record, decode(g.digest, 'hex') as digest, v.name as version, v.release
         from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], string_to_array($6, e'\\n'), $7::text[])
                g (key, arrived_at, code, message, record, digest)
         join autoflow.pipelines p on p.name = $1 join autoflow.versions v on v.pipeline = p.name and v.name = p.stable_version),
     dead as (
       insert into autoflow.records as r
              (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at, ended_by, reason, message, digest)
       select $1, '${LIVE}', key, 'dead', '', version, release, arrived_at, now(), 'input', code, message, digest from given
       on conflict (pipeline, scope, key) do update set version = excluded.version, release = excluded.release,
         arrived_at = excluded.arrived_at, ended_at = excluded.ended_at, message = excluded.message, digest = excluded.digest
        where r.state = 'dead' and r.batch_id = '')
     insert into autoflow.dead_letters (pipeline, scope, key, batch_id, version, release, died_in, code, message, record)
     select $1, '${LIVE}', key, '', version, release, 'input', code, message, record from given`,
    [
      pipeline,
      refused.map(({ key }) => key),
      refused.map(({ landed }) => landed.arrivedAt),
      refused.map(({ code }) => code),
      refused.map(({ message }) => message),
      refused.map(({ record }) => JSON.stringify(record)).join('\n'),
      refused.map(({ record }) => digestOf(record).digest),
    ],
  );
  await notify(sql, ['autoflow_outcomes'], pipeline);
}
