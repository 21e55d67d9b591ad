/** What two arms did in blocks of time, from the rows of their records, batches and invocations. */
import type { ArmCell, SlowRecords } from '@autoflow/topology';
import type { ComparisonQuery } from './comparisons.model.js';
import type { Database } from './database.js';
import { bucketOf } from './slow-records.js';

/** What the attempts of batches cost; of the Temporal actions it is told how many there were. */
export interface Spent {
  readonly costUsd: number;
  readonly executions: number;
  readonly attempts: number;
}
/**
 * An `ArmCell` of one arm in one block before anything is known of the other blocks: latencies are counted by bucket (`slow-records.ts`), of which those
 * that are slow are told later, and `costUsd` is without Temporal actions.
 */
export type CellRow = Omit<ArmCell, keyof SlowRecords | 'costUsd'> &
  Spent & {
    /** Its number from the beginning. */
    readonly block: number;
    readonly ours: boolean;
    /** Ascending, with how many records are in each. */
    readonly buckets: readonly number[];
    readonly counts: readonly number[];
  };
/** Which blocks, by their numbers; `last` is excluded. */
export interface Span {
  readonly first: number;
  readonly last: number;
  /** Milliseconds from which a record belongs to the block of its end. */
  readonly lateMs: number;
  /** Buckets of ours and theirs, of which what waits is counted with what runs; undefined: only what has ended. */
  readonly unfinished?: readonly number[];
}

/** The last instant that a `Date` knows. */
export const NEVER_MS = 8.64e15;

export async function readCells(database: Database, query: ComparisonQuery, span: Span): Promise<CellRow[]> {
  const { pipeline, ours, theirs, from, blockMs } = query;
  const [begin, end] = [from + span.first * blockMs, from + span.last * blockMs];
  const ended = Math.min(NEVER_MS, end + span.lateMs);
  const which = [pipeline, ours.arm, ours.version, theirs.arm, theirs.version, from, begin, ended];
  // Known beforehand, the planner finds the few invocations of these batches by their time.
  const [opened] = await database.query<{ at: number | null }>(OPENED, which);
  return database.query<CellRow>(CELLS, [
    ...which,
    end,
    blockMs,
    span.lateMs,
    opened?.at ?? from,
    span.unfinished !== undefined,
    ...(span.unfinished ?? [-1, -1, -1, -1]),
  ]);
}

export const time = (parameter: number): string => `to_timestamp($${parameter}::float8 / 1000)`;
/**
 * In milliseconds, five minutes early: invocations began by the clock of their host. A sum, which no index has in order: of the column alone the
 * planner would walk all batches since the beginning, up to the first that was closed late enough.
 */
export const FIRST_OPENED = `extract(epoch from min(opened_at - interval '5 minutes'))::float8 * 1000`;
/** To each batch of `b`: what its attempts cost, how many there were, and how many of its records had to be dispatched again. */
export const spent = (from: number, until: number): string => `
  select b.*, coalesce(i.cost_usd, 0) as cost_usd, coalesce(i.attempts, 0) as attempts, coalesce(i.again, 0) as again
    from b left join (
      select batch_id, sum(cost_usd) as cost_usd, count(*) as attempts,
             sum(retried + case when outcome <> 'ok' then records_in else 0 end) as again
        from autoflow.invocations where pipeline = $1 and started_at >= ${time(from)} and started_at < ${time(until)} and batch_id in (select id from b) group by batch_id
    ) i on i.batch_id = b.id`;

const OURS = `(arm = $2 and ($3::text is null or version = $3))`;
const ARMS = `pipeline = $1 and arm is not null and (${OURS} or arm = $4 and ($5::text is null or version = $5)) and opened_at >= ${time(6)}`;
const CLOSED = `from autoflow.batches where ${ARMS} and state = 'closed' and closed_at >= ${time(7)} and closed_at < ${time(8)}`;
const OPENED = `select ${FIRST_OPENED} as at ${CLOSED}`;
const age = (from: string, to: string): string => `extract(epoch from ${to} - ${from})::float8 * 1000`;
const moment = (late: string): string => `case when ms < $11::float8 then arrived_at else ${late} end`;
const block = (at: string): string => `floor(${age(time(6), at)} / $10::float8)::int`;

/**
 * A record belongs to the block in which it arrived, so that one that is late is missed there, and counts with its age; a batch to the block in
 * which it was closed, when all that it cost is known. A batch that went back into the inbox had no outcome and is charged nothing here.
 */
const CELLS = `
with b as (select id, ${OURS} as ours, closed_at, dissolved, completed + filtered + dead + cancelled as n ${CLOSED}),
s as (${spent(12, 8)}),
ended as (
  select s.ours, r.state, r.arrived_at, r.ended_at, ${age('r.arrived_at', 'r.ended_at')} as ms, least(1, s.again::float8 / greatest(s.n, 1)) as again
    from autoflow.records r join s on s.id = r.batch_id
   where r.pipeline = $1 and r.ended_at >= ${time(7)} and r.ended_at < ${time(8)} and r.arrived_at >= ${time(6)} and r.state <> 'cancelled'),
unfinished as (
  select o.ours, r.arrived_at, ${age('r.arrived_at', 'clock_timestamp()')} as ms
    from (select id, ${OURS} as ours from autoflow.batches where ${ARMS} and state = 'open') o
    join autoflow.records r on r.batch_id = o.id and r.state = 'running' and r.pipeline = $1
   where $13 and r.arrived_at >= ${time(6)} and r.arrived_at < ${time(9)}
  union all
  select i.bucket between $14 and $15, i.arrived_at, ${age('i.arrived_at', 'clock_timestamp()')} from autoflow.inbox i
   where $13 and i.pipeline = $1 and i.version is null and i.arrived_at >= ${time(6)} and i.arrived_at < ${time(9)}
     and (i.bucket between $14 and $15 or i.bucket between $16 and $17)),
e as (
  select ours, state, ${moment('ended_at')} as at, ms, again from ended
  union all
  select ours, 'running', ${moment(`${time(9)} - interval '1 microsecond'`)}, ms, 0 from unfinished),
g as (
  select ours, ${block('at')} as block, ${bucketOf('ms')} as bucket, count(*) as records, count(*) filter (where state = 'running') as running,
         count(*) filter (where state = 'dead') as dead, sum(again) as errors, count(*) filter (where state = 'filtered') as filtered,
         sum(greatest(ms, 0)) as latency_ms
    from e where at >= ${time(7)} and at < ${time(9)} group by 1, 2, 3),
r as (
  select ours, block, sum(records) as records, sum(running) as running, sum(dead) as dead, sum(errors) as errors, sum(filtered) as filtered,
         sum(latency_ms) as latency_ms, array_agg(bucket order by bucket) as buckets, array_agg(records::int order by bucket) as counts
    from g group by 1, 2),
c as (
  select ours, ${block('closed_at')} as block, sum(n) as charged, sum(cost_usd) as cost_usd, count(*) as executions, sum(attempts) as attempts
    from s where dissolved = 0 and closed_at < ${time(9)} group by 1, 2)
select ours, block, coalesce(records, 0)::float8 as records, coalesce(running, 0)::float8 as running, coalesce(dead, 0)::float8 as dead,
       coalesce(errors, 0)::float8 as errors, coalesce(filtered, 0)::float8 as filtered, coalesce(latency_ms, 0)::float8 as "latencyMs",
       coalesce(buckets, '{}') as buckets, coalesce(counts, '{}') as counts,
       coalesce(charged, 0)::float8 as charged, coalesce(cost_usd, 0)::float8 as "costUsd", coalesce(executions, 0)::float8 as executions,
       coalesce(attempts, 0)::float8 as attempts
  from r full join c using (ours, block) order by block`;
