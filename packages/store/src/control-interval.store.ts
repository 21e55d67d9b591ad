import { bucketsOf, type Arms } from './arms.model.js';
import { findArms } from './arms.store.js';
import type { ControlStore, MeasuredInterval, MeasuredStage } from './control.model.js';
import type { Database } from './database.js';
import { dense, one } from './rows.js';

const ENDED = `i.started_at + make_interval(secs => (i.gate_ms + i.cold_start_ms + i.duration_ms) / 1000)`;
/** Pools tell what they did every five seconds: by then a host has told it, or there was nothing to tell. What is shorter is told by a longer stretch. */
const BUSY_OVER_MS = 6_000;
/** The earliest of an interval, enough to tell whether measurements are missing: those of the latest may still be on their way. */
const LOOKED_AT = 100;
/** An execution that is open for longer is looked at as if it had done nothing yet. */
const LONGEST_EXECUTION = `interval '1 day'`;

const seconds = (from: string, to: string): string => `extract(epoch from ${to} - ${from})::float8`;
/** From when on it is looked at who worked. */
const SINCE = `least($3::timestamptz, $4::timestamptz - $8::float8 * interval '1 millisecond')`;
/** What was open at the end, or may have been. */
const FLYING = `pipeline = $1 and version = $2 and opened_at <= $4::timestamptz and opened_at > $4::timestamptz - ${LONGEST_EXECUTION}`;

/**
 * In one statement, so that all of it is of one moment. A batch is present in a stage when it has been through all that are before it, and not
 * through the stage itself; in a stage of several partitions it is present as often. A stage is through with a batch by its first answer.
 * Of the inbox it tells what a feeder would open for the version: by arm, by pin, and of no backfill that is held up.
 */
const INTERVAL = `
with stages as (select * from json_to_recordset($5::json) s (name text, after text[], partitions int, "memoryMb" int)),
flying as (
  select id, execution_id from autoflow.batches where ${FLYING} and state = 'open'
  union all
  select id, execution_id from autoflow.batches where ${FLYING} and state = 'closed' and closed_at > $4::timestamptz),
done as (
  select f.execution_id, array_agg(distinct i.stage) as stages from flying f join autoflow.invocations i using (execution_id)
   where i.outcome = 'ok' and i.started_at > $4::timestamptz - ${LONGEST_EXECUTION} and ${ENDED} <= $4::timestamptz group by f.execution_id),
present as (
  select s.name, s.partitions * count(f.id) filter (where s.after <@ coalesce(d.stages, '{}') and not s.name = any(coalesce(d.stages, '{}'))) as present
    from stages s left join flying f on true left join done d using (execution_id) group by s.name, s.partitions),
ended as (
  select i.stage as name, count(*) as served, sum(i.duration_ms) as service_ms, sum(i.cpu_ms) as cpu_ms, max(i.peak_memory_mb) as working_set_mb,
         -- An execution keeps the memory that it was opened with: what died of less than is allocated by now says nothing of that.
         count(*) filter (where i.outcome = 'out-of-memory' and i.memory_mb >= s."memoryMb") as out_of_memory,
         max(i.memory_mb) filter (where i.outcome = 'out-of-memory') as out_of_memory_mb
    from autoflow.invocations i join stages s on s.name = i.stage
   where i.pipeline = $1 and i.version = $2 and i.started_at > $3::timestamptz - $7::float8 * interval '1 millisecond' and i.started_at <= $4::timestamptz
     and ${ENDED} > $3::timestamptz and ${ENDED} <= $4::timestamptz group by i.stage),
-- Of each row the part that lies in the stretch, and how much of the stretch its host has told of in all.
used as (
  select stage, busy_s * ${seconds(`greatest(from_at, ${SINCE})`, `least(to_at, $4::timestamptz)`)} / ${seconds('from_at', 'to_at')} as busy_s,
         max(${seconds(SINCE, `least(to_at, $4::timestamptz)`)}) over (partition by host) as told_s
    from autoflow.pool_usage
   where pipeline = $1 and version = $2 and to_at > ${SINCE} and from_at < least(to_at, $4::timestamptz) and from_at > $3::timestamptz - interval '1 minute'),
busy as (
  select stage as name, sum(busy_s / greatest(told_s, ${seconds(SINCE, '$4::timestamptz')} - $8::float8 / 1000)) as busy from used group by stage),
opened as (
  select count(*) as batches, coalesce(sum((ref -> 'counts' ->> 'records')::int), 0) as records from autoflow.batches
   where pipeline = $1 and version = $2 and opened_at > $3::timestamptz and opened_at <= $4::timestamptz),
closed as (
  select execution_id from autoflow.batches
   where pipeline = $1 and version = $2 and state = 'closed' and closed_at > $3::timestamptz and closed_at <= $4::timestamptz and dissolved = 0 and completed + filtered > 0
   order by closed_at limit ${LOOKED_AT}),
waiting as (
  select count(*) as records,
         count(*) filter (where arrived_at + $6::float8 * interval '1 millisecond' > $3::timestamptz and arrived_at + $6::float8 * interval '1 millisecond' <= $4::timestamptz) as late
    from autoflow.inbox
   where pipeline = $1 and (version = $2 or version is null and bucket::int <@ $9::int4multirange)
     and (backfill_id = any (array(select id from autoflow.backfills where pipeline = $1 and state in ('paused', 'cancelled')))) is not true),
late as (
  select count(*) as records from autoflow.records
   where pipeline = $1 and version = $2 and ended_at > $3::timestamptz and arrived_at + $6::float8 * interval '1 millisecond' > $3::timestamptz
     and arrived_at + $6::float8 * interval '1 millisecond' <= least($4::timestamptz, ended_at)
  union all
  select count(*) from flying f join autoflow.records r on r.batch_id = f.id and r.state = 'running'
   where r.arrived_at + $6::float8 * interval '1 millisecond' > $3::timestamptz and r.arrived_at + $6::float8 * interval '1 millisecond' <= $4::timestamptz
  union all
  select late from waiting)
select (select batches from opened) as opened, (select records from opened) as "openedRecords",
       (select count(*) from closed) as closed,
       (select count(*) from closed c where not exists (select from autoflow.invocations i where i.execution_id = c.execution_id)) as untold,
       (select sum(records) from late)::bigint as "lateRecords",
       (select records from waiting) as "waitingRecords",
       (select concat_ws(' ', $10::int, count(*) filter (where state = 'cancelled'), string_agg(id, ' ' order by id) filter (where state = 'paused'))
          from autoflow.backfills where pipeline = $1) as feeding,
       (select max(at) from autoflow.acknowledgements where pipeline = $1 and version = $2) as "heardAt",
       (select json_object_agg(s.name, json_build_object('present', p.present, 'served', coalesce(e.served, 0), 'serviceMs', coalesce(e.service_ms, 0), 'cpuMs', coalesce(e.cpu_ms, 0),
               'busy', coalesce(b.busy, 0), 'workingSetMb', coalesce(e.working_set_mb, 0), 'outOfMemory', coalesce(e.out_of_memory, 0),
               'outOfMemoryMb', coalesce(e.out_of_memory_mb, 0)))
          from stages s join present p using (name) left join ended e using (name) left join busy b using (name)) as stages`;

export async function measureInterval(
  database: Database,
  { pipeline, version, from, to, stages, sloMs, longestMs }: Parameters<ControlStore['measure']>[0],
): Promise<MeasuredInterval> {
  const arms = await findArms(database, pipeline);
  const row = await one<Omit<MeasuredInterval, 'from' | 'to'> & { readonly stages: { readonly [stage: string]: MeasuredStage } }>(
    database,
    INTERVAL,
    [
      pipeline,
      version,
      from,
      to,
      JSON.stringify(stages),
      sloMs,
      longestMs,
      BUSY_OVER_MS,
      arms === undefined ? '{}' : bucketsFor(arms, version),
      arms?.revision,
    ],
  );
  return dense({ from, to, ...row! });
}

/** Of all arms that run the version, as a multirange. */
function bucketsFor(arms: Arms, version: string): string {
  const ranges = (['stable', 'candidate', 'control', 'holdout'] as const)
    .filter((arm) => arms[arm]?.version === version)
    .map((arm) => bucketsOf(arms, arm))
    .filter((buckets) => buckets !== undefined);
  return `{${ranges.map(([first, last]) => `[${first},${last}]`).join()}}`;
}
