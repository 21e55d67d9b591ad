import { BATCH, batchRow, type BatchColumns } from './batch-row.js';
import { claimBatch } from './claim.js';
import type { Database } from './database.js';
import { dissolveBatch } from './dissolve.js';
import type { FeederStore, Head, Load, Stranded, Stream } from './feeder.model.js';
import { firstOfArm } from './inbox-head.js';
import { drainLanding, STRANDED } from './landing.js';
import { many, one } from './rows.js';

/** Claims, and what takes them back. Whoever is faster gets a record or a batch; the others pass on to the next. */
export function feederStore(database: Database): FeederStore {
  return {
    streams: () => many<Stream>(database, STREAMS, []),
    head: async ({ pipeline, stream }, buckets, { records }) =>
      (await one<Head>(database, headOf(firstOfArm(buckets, records)), [pipeline, stream, ...buckets, records]))!,
    load: (pipeline, windowMs) => load(database, pipeline, windowMs),
    claim: (request, write) => claimBatch(database, request, write),
    unattended: (ageMs, limit) => unattended(database, ageMs, limit),
    dissolve: (request) => dissolveBatch(database, request),
    abort: (pipeline, version) => abort(database, pipeline, version),
    drainLanding: (bounds, take) => drainLanding(database, bounds, take),
    stranded: (pipeline) => many<Stranded>(database, STRANDED, [pipeline]),
  };
}

/** Leaps from one stream to the next in the index: a long backlog costs no more than a short one. */
const STREAMS = `
with recursive streams as (
  (select pipeline, stream from autoflow.inbox order by pipeline, stream limit 1)
  union all
  select next.pipeline, next.stream from streams s cross join lateral (
    select i.pipeline, i.stream from autoflow.inbox i where (i.pipeline, i.stream) > (s.pipeline, s.stream) order by i.pipeline, i.stream limit 1) next)
select s.pipeline, s.stream, first.scope, first.version,
       case when b.id is not null then json_strip_nulls(json_build_object('id', b.id, 'concurrency', b.concurrency, 'batchRecords', b.batch_records,
         'maxShare', b.max_share)) end as backfill
  from streams s
  join autoflow.pipelines p on p.name = s.pipeline and not p.feeding_paused
  cross join lateral (
    select scope, version, backfill_id from autoflow.inbox i where i.pipeline = s.pipeline and i.stream = s.stream order by id limit 1) first
  left join autoflow.backfills b on b.id = first.backfill_id
 where b.id is null or b.state not in ('paused', 'cancelled')
 order by s.pipeline, s.stream`;

const headOf = (where: string): string => `select count(*) as records, coalesce(sum(bytes), 0)::int8 as bytes,
  (extract(epoch from now() - min(arrived_at)) * 1000)::float8 as "oldestMs", (extract(epoch from min(due_at) - now()) * 1000)::float8 as "dueInMs" from (
  select bytes, arrived_at, due_at from autoflow.inbox where ${where} order by id limit $5::int) head`;

/** As `roomOf` has it; `stable` is the version of this moment. */
const ROOM = `case when arm = 'pinned' or arm = 'stable' and version = (select stable_version from autoflow.pipelines where name = $1)
  then 'stable' else arm || ' ' || version end`;

async function load(database: Database, pipeline: string, windowMs: number): Promise<Load> {
  const [row] = await database.query<Load>(
    `with opened as (
       select ${ROOM} as room, backfill_id as backfill, count(*) as n from autoflow.batches
        where pipeline = $1 and state = 'open' and arm is not null group by 1, 2),
     open as (
       select room, sum(n) as n, json_object_agg(backfill, n) filter (where backfill is not null) as backfills from opened group by room),
     closed as (
       select ${ROOM} as room, count(*) as n, avg(extract(epoch from closed_at - opened_at)) * 1000 as mean from autoflow.batches
        where pipeline = $1 and state = 'closed' and arm is not null and dissolved = 0 and closed_at > now() - make_interval(secs => $2)
        group by 1),
     instances as (
       select a.version, max((stage ->> 'concurrency')::int) as most
         from autoflow.pipelines p join autoflow.allocations a on a.pipeline = p.name and a.version in (p.stable_version, p.candidate_version, p.holdout_version)
        cross join lateral jsonb_each(a.stages) as stages (name, stage) where p.name = $1 group by 1)
     select coalesce(json_object_agg(room, json_build_object('open', coalesce(o.n, 0), 'ofBackfill', coalesce(o.backfills, '{}'),
              'closed', coalesce(c.n, 0), 'meanOpenMs', coalesce(c.mean, 0))), '{}') as rooms,
            (select coalesce(json_object_agg(version, most), '{}') from instances) as instances
       from open o full join closed c using (room)`,
    [pipeline, windowMs / 1000],
  );
  return row!;
}

async function unattended(database: Database, ageMs: number, limit: number) {
  const rows = await database.query<BatchColumns>(
    `with due as (
       select id as due from autoflow.batches where state = 'open' and arm is not null
          and coalesce(checked_at, case when aborted then '-infinity' else opened_at end) < now() - make_interval(secs => $1)
        order by opened_at limit $2 for update skip locked),
     taken as (update autoflow.batches set checked_at = now() from due where id = due.due)
     ${BATCH} join due on due.due = id`,
    [ageMs / 1000, limit],
  );
  return rows.map(batchRow);
}

async function abort(database: Database, pipeline: string, version: string): Promise<number> {
  const marked = await database.query(
    `with marked as (
       update autoflow.batches set aborted = true, checked_at = null
        where pipeline = $1 and version = $2 and state = 'open' and arm is not null and not aborted returning id)
     select id, (select pg_notify('autoflow_inbox', $1)) from marked`,
    [pipeline, version],
  );
  return marked.length;
}
