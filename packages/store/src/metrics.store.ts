/** What a pipeline did in a window of time, per version, stage or function. One statement per level. */
import { costPer1000, shapeOf, temporalActions, utilisation, type PoolUsage, type Prices } from '@autoflow/twin';
import type { Database } from './database.js';
import { SELECT_CALIBRATIONS, SELECT_INVOCATIONS } from './metering.store.js';
import type { InvocationRow } from './metering.model.js';
import type { MetricsQuery, MetricsRow, MetricsStore } from './metrics.model.js';
import { dense, many } from './rows.js';

interface Columns {
  readonly version: string;
  readonly stage: string | null;
  readonly function: string | null;
  readonly records: number;
  readonly good: number;
  readonly dead: number;
  readonly invocations: number;
  readonly executions: number;
  readonly observedS: number | null;
  readonly mean: number | null;
  readonly percentiles: readonly [number, number, number] | null;
  readonly costUsd: number;
  /** In invocations; a function's part of them. */
  readonly actions: number;
  readonly usage: PoolUsage | null;
  readonly cpuMs: number;
  readonly coldStarts: number;
  readonly peakMemoryMb: number;
}

const DAY_MS = 86_400_000;
/** For what was opened last to end. */
const LATE_MS = 3_600_000;
/** Arrivals. What varies over a longer time the allocation follows. */
const SHAPE = { most: 2_000, withinMs: 600_000 } as const;

export function metricsStore(database: Database, prices: Prices): MetricsStore {
  const metrics: MetricsStore['metrics'] = async (query) => {
    const { pipeline, from, to, version, scope } = query;
    const rows = await database.patient.query<Columns>(STATEMENTS[query.by], [pipeline, from, to, version, scope]);
    return rows.map((columns) => metricsRow(columns, query, prices));
  };
  return {
    metrics,
    shape: async ({ pipeline, version, from, to, scope }) => {
      const arrivals = async (since: Date) => {
        const rows = await database.patient.query<{ ms: number }>(ARRIVALS, [
          pipeline,
          since,
          to,
          scope,
          version,
          SHAPE.most,
          SHAPE.withinMs,
        ]);
        return rows.map(({ ms }) => ms);
      };
      // Nearly always they are among the latest that have ended: all since `from` are looked through only where those do not reach back so far.
      const lately = new Date(to.getTime() - 2 * SHAPE.withinMs);
      if (lately <= from) return shapeOf(await arrivals(from));
      const latest = await arrivals(lately);
      const reachBack = latest.length === SHAPE.most || latest.at(-1)! - latest[0]! > 0.9 * SHAPE.withinMs;
      return shapeOf(reachBack ? latest : await arrivals(from));
    },
    lastDay: async (pipeline, version) => {
      const [found] = await database.patient.query<{ last: Date }>(LAST_TRAFFIC, [pipeline, version]);
      const last = found!.last.getTime();
      const [row] = await metrics({ pipeline, version, by: 'version', from: new Date(last - DAY_MS), to: new Date(last + LATE_MS) });
      return row;
    },
    invocations: ({ pipeline, executionId, version, stage, since, before, limit }) =>
      many<InvocationRow>(
        database,
        `${SELECT_INVOCATIONS} where pipeline = $1 and ($2::text is null or execution_id = $2) and ($3::text is null or version = $3)
           and ($4::text is null or stage = $4) and ($6::timestamptz is null or started_at < $6)
           and ($7::timestamptz is null or started_at >= $7)
         order by started_at desc, run_id, activity_id, attempt limit $5`,
        [pipeline, executionId, version, stage, limit, before, since],
      ),
    calibrations: ({ pipeline, since, before, limit }) =>
      many<InvocationRow>(
        database,
        `${SELECT_CALIBRATIONS} where pipeline = $1 and ($2::timestamptz is null or started_at < $2) and ($4::timestamptz is null or started_at >= $4)
          order by started_at desc, run_id, activity_id, attempt limit $3`,
        [pipeline, before, limit, since],
      ),
  };
}

/**
 * Throughput: records that were not dead per second of the time observed, which begins with the first arrival (invocation) in the window and
 * ends with the last outcome (end of an invocation) in it, so that idle time before and after a run does not count.
 * Error rate: dead / all, cancelled records apart. An execution's own actions (its start, settling it) count at the level of versions only; admission
 * through the direct door, which cannot be told from here, does not.
 */
function metricsRow(columns: Columns, { by }: MetricsQuery, prices: Prices): MetricsRow {
  const { records, executions, costUsd, percentiles, usage } = columns;
  const [p50, p95, p99] = percentiles ?? [0, 0, 0];
  const actions =
    by === 'version'
      ? temporalActions({ runs: executions, localActivityTasks: executions, activityAttempts: columns.actions })
      : columns.actions;
  const withoutActions = costPer1000(costUsd, records);
  const all = costPer1000(costUsd + actions * prices.temporalAction.usd, records);
  return dense({
    version: columns.version,
    stage: columns.stage,
    function: columns.function,
    records,
    invocations: columns.invocations,
    throughput: columns.observedS === null ? 0 : columns.good / Math.max(columns.observedS, 0.001),
    latency: { mean: columns.mean ?? 0, p50, p95, p99 },
    errorRate: records === 0 ? 0 : columns.dead / records,
    costPer1000: all === undefined || withoutActions === undefined ? null : { all, withoutActions },
    utilisation: shares(usage),
    cpuMs: columns.cpuMs,
    coldStarts: columns.coldStarts,
    peakMemoryMb: columns.peakMemoryMb,
  } as object) as MetricsRow;
}

function shares(usage: PoolUsage | null): MetricsRow['utilisation'] | null {
  if (usage === null) return null;
  const { memory, instances } = utilisation([usage]);
  return memory === undefined || instances === undefined ? null : { memory, instances };
}

/**
 * Among the latest batches of now, and of when the version lost its traffic if it has: an index tells of so many, however many there are. Else, as the
 * direct door's batches have no arm, it is when it lost its traffic, or now.
 */
const LAST_TRAFFIC = `
with ended as (
  select case when status in ('retired', 'rolled-back') then at end as at from autoflow.version_statuses
   where pipeline = $1 and version = $2 order by id desc limit 1),
seen as (
  select max(b.opened_at) as at from (select now() as at union all select at from ended) until,
         lateral (select version, opened_at from autoflow.batches where pipeline = $1 and arm is not null and opened_at <= until.at
                   order by opened_at desc limit 10000) b
   where b.version = $2)
select coalesce(seen.at, (select at from ended), now()) as last from seen`;

const PERCENTILES = 'array[0.5, 0.95, 0.99]';
const INVOCATIONS = `autoflow.invocations where pipeline = $1 and started_at >= $2 and started_at < $3
  and ($4::text is null or version = $4) and ($5::text is null or scope = $5)`;
/** Of one invocation: records that left it, whatever their outcome. Those to be dispatched again are counted when they come again. */
const HANDLED = `case when outcome = 'ok' then records_in - retried else 0 end`;
const ENDED = `started_at + make_interval(secs => (gate_ms + cold_start_ms + duration_ms) / 1000)`;
/** Pools do not know scopes: what stood ready stood ready for all of them. */
const USAGE = `json_build_object('provisionedS', sum(provisioned_s), 'busyS', sum(busy_s), 'provisionedMbS', sum(provisioned_mb_s), 'usedMbS', sum(used_mb_s)) as usage
  from autoflow.pool_usage where pipeline = $1 and from_at >= $2 and from_at < $3 and ($4::text is null or version = $4)`;

/** Latency from a record's arrival to its outcome; by the clock of whoever took the record, then by the database's. */
const BY_VERSION = `
with r as (
  select version, count(*) as records, count(*) filter (where state <> 'dead') as good, count(*) filter (where state = 'dead') as dead,
         extract(epoch from max(ended_at) - greatest(min(arrived_at), $2))::float8 as observed_s,
         avg(ms) as mean, percentile_cont(${PERCENTILES}) within group (order by ms) as percentiles
    from (select *, greatest(extract(epoch from ended_at - arrived_at)::float8 * 1000, 0) as ms from autoflow.records
           where pipeline = $1 and ended_at >= $2 and ended_at < $3 and state in ('completed', 'filtered', 'dead')
             and ($4::text is null or version = $4) and ($5::text is null or scope = $5)) ended
   group by version),
i as (
  select version, count(*) as invocations, count(distinct execution_id) as executions, sum(cost_usd) as cost_usd, sum(cpu_ms) as cpu_ms,
         count(*) filter (where cold) as cold_starts, max(peak_memory_mb) as peak_memory_mb
    from ${INVOCATIONS} group by version),
u as (select version, ${USAGE} group by version)
select version, coalesce(records, 0) as records, coalesce(good, 0) as good, coalesce(dead, 0) as dead, observed_s as "observedS", mean, percentiles,
       coalesce(invocations, 0) as invocations, coalesce(executions, 0) as executions, coalesce(cost_usd, 0) as "costUsd", coalesce(invocations, 0) as actions,
       usage, coalesce(cpu_ms, 0) as "cpuMs", coalesce(cold_starts, 0) as "coldStarts", coalesce(peak_memory_mb, 0) as "peakMemoryMb"
  from r full join i using (version) left join u using (version) order by version collate "C"`;

/**
 * In milliseconds, of all versions since the first of the one that is asked for: the load is the pipeline's. What is still on its way has arrived as well:
 * where nothing can keep up with a burst, that is most of the burst.
 */
const ARRIVALS = `
with ended as (
  select arrived_at, batch_id, version from autoflow.records
   where pipeline = $1 and ended_at >= $2 and state in ('completed', 'filtered', 'dead') and ($4::text is null or scope = $4)),
arrived as (
  select arrived_at, batch_id from ended
  union all
  select r.arrived_at, r.batch_id from autoflow.batches b join autoflow.records r on r.batch_id = b.id and r.state = 'running'
   where b.pipeline = $1 and b.state = 'open' and ($4::text is null or b.scope = $4)
  union all
  select arrived_at, null from autoflow.inbox where pipeline = $1 and backfill_id is null and ($4::text is null or scope = $4)),
latest as (
  select arrived_at from arrived
   where arrived_at < $3 and arrived_at >= (select min(arrived_at) from ended where version = coalesce($5::text, version))
     and not exists (select from autoflow.batches b where b.id = batch_id and b.backfill_id is not null)
   order by arrived_at desc limit $6)
select extract(epoch from arrived_at)::float8 * 1000 as ms from latest
 where arrived_at > (select max(arrived_at) from latest) - $7::float8 * interval '1 millisecond' order by arrived_at`;

/** Latency of an attempt in its instance: without the queue, the gate and the start of the instance. */
const BY_STAGE = `
with i as (
  select version, stage, sum(${HANDLED}) as records, sum(${HANDLED} - dead) as good, sum(dead) as dead, count(*) as invocations,
         extract(epoch from max(${ENDED}) - min(started_at))::float8 as observed_s, avg(duration_ms) as mean,
         percentile_cont(${PERCENTILES}) within group (order by duration_ms) as percentiles, sum(cost_usd) as cost_usd, sum(cpu_ms) as cpu_ms,
         count(*) filter (where cold) as cold_starts, max(peak_memory_mb) as peak_memory_mb
    from ${INVOCATIONS} group by version, stage),
u as (select version, stage, ${USAGE} group by version, stage)
select version, stage, records, good, dead, invocations, 0 as executions, observed_s as "observedS", mean, percentiles, cost_usd as "costUsd", invocations as actions,
       usage, cpu_ms as "cpuMs", cold_starts as "coldStarts", peak_memory_mb as "peakMemoryMb"
  from i left join u using (version, stage) order by version collate "C", stage collate "C"`;

/**
 * Latency of the function's span in an attempt. An invocation's cost goes to its functions by wall time, which is what is billed; so does what the
 * stage's pools used, of all that they had: the utilisations of a stage's functions add up to that of the stage.
 */
const BY_FUNCTION = `
with s as (
  select i.version, i.stage, x.node, x."recordsIn" - x.retried as handled, x.dead, x."wallMs" as wall_ms, x."cpuMs" as cpu_ms,
         i.started_at, ${ENDED} as ended_at, i.cold, i.peak_memory_mb, i.cost_usd,
         case when t.wall_ms > 0 then x."wallMs" / t.wall_ms else 1.0 / t.functions end as share
    from (select * from ${INVOCATIONS}) i
    cross join lateral (select sum((e ->> 'wallMs')::float8) as wall_ms, count(*) as functions from jsonb_array_elements(i.spans) e) t
    cross join lateral jsonb_to_recordset(i.spans) x (node text, "recordsIn" int, retried int, dead int, "wallMs" float8, "cpuMs" float8)),
w as (
  select version, stage, node, case when sum(sum(wall_ms)) over stages > 0 then sum(wall_ms) / sum(sum(wall_ms)) over stages
                                    else 1.0 / count(*) over stages end as part
    from s group by version, stage, node window stages as (partition by version, stage)),
p as (
  select version, stage, sum(provisioned_s) as provisioned_s, sum(busy_s) as busy_s, sum(provisioned_mb_s) as provisioned_mb_s, sum(used_mb_s) as used_mb_s
    from autoflow.pool_usage where pipeline = $1 and from_at >= $2 and from_at < $3 and ($4::text is null or version = $4) group by version, stage),
u as (
  select version, stage, node, json_build_object('provisionedS', provisioned_s, 'busyS', busy_s * part,
                                                 'provisionedMbS', provisioned_mb_s, 'usedMbS', used_mb_s * part) as usage
    from w join p using (version, stage))
select version, stage, node as function, sum(handled) as records, sum(handled - dead) as good, sum(dead) as dead, count(*) as invocations, 0 as executions,
       extract(epoch from max(ended_at) - min(started_at))::float8 as "observedS", avg(wall_ms) as mean,
       percentile_cont(${PERCENTILES}) within group (order by wall_ms) as percentiles, sum(cost_usd * share) as "costUsd", sum(share)::float8 as actions,
       (select u.usage from u where u.version = s.version and u.stage = s.stage and u.node = s.node) as usage, sum(cpu_ms) as "cpuMs", count(*) filter (where cold) as "coldStarts", max(peak_memory_mb) as "peakMemoryMb"
  from s group by version, stage, node order by version collate "C", stage collate "C", node collate "C"`;

const STATEMENTS: { readonly [by in MetricsQuery['by']]: string } = { version: BY_VERSION, stage: BY_STAGE, function: BY_FUNCTION };
