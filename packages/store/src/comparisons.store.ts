import { NOTHING, type ArmCell } from '@autoflow/topology';
import { temporalActions, type Prices } from '@autoflow/twin';
import { bucketsOf } from './arms.model.js';
import { findArms } from './arms.store.js';
import type { ArmBlock, ArmTotals, ComparedArm, ComparisonQuery, ComparisonStore, WorkloadRow } from './comparisons.model.js';
import type { Database } from './database.js';

type Row = Omit<ArmCell, 'costUsd'> & { readonly block: number; readonly ours: boolean } & Spent;
interface Spent {
  readonly costUsd: number;
  readonly executions: number;
  readonly attempts: number;
}

export function comparisonStore(database: Database, prices: Prices): ComparisonStore {
  const dollars = ({ costUsd, executions, attempts }: Spent): number =>
    costUsd + temporalActions({ runs: executions, localActivityTasks: executions, activityAttempts: attempts }) * prices.temporalAction.usd;
  return {
    clock: async () => {
      const [row] = await database.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as now', []);
      return row!.now;
    },
    blocks: (query) => blocks(database, query, dollars),
    workload: ({ pipeline, from, to, blockMs }) => database.patient.query<WorkloadRow & object>(WORKLOAD, [pipeline, from, to, blockMs]),
    totals: async (pipeline, from, to) => {
      const rows = await database.patient.query<Omit<ArmTotals, 'costUsd'> & Spent & { arm: ComparedArm }>(TOTALS, [pipeline, from, to]);
      return Object.fromEntries(rows.map((row) => [row.arm, { records: row.records, dead: row.dead, costUsd: dollars(row) }]));
    },
  };
}

async function blocks(database: Database, query: ComparisonQuery, dollars: (spent: Spent) => number): Promise<ArmBlock[]> {
  const { pipeline, ours, theirs, from, to, blockMs, slower = { p95: 1, p99: 1 }, waiting = false } = query;
  const whole = Math.floor((to - from) / blockMs);
  if (whole <= 0) return [];
  const arms = waiting ? await findArms(database, pipeline) : undefined;
  const buckets = [ours, theirs].flatMap(({ arm }) => (arms && bucketsOf(arms, arm)) ?? [-1, -1]);
  const rows = await database.query<Row>(BLOCKS, [
    pipeline,
    ours.arm,
    ours.version,
    theirs.arm,
    theirs.version,
    from,
    from + whole * blockMs,
    blockMs,
    slower.p95,
    slower.p99,
    ...buckets,
  ]);
  const found = new Map<number, { ours: ArmCell; theirs: ArmCell }>();
  for (const { block, ours: isOurs, executions, attempts, costUsd, ...counts } of rows) {
    const cell: ArmCell = { ...counts, costUsd: dollars({ costUsd, executions, attempts }) };
    const there = found.get(block) ?? { ours: NOTHING, theirs: NOTHING };
    found.set(block, isOurs ? { ...there, ours: cell } : { ...there, theirs: cell });
  }
  return [...found].sort(([a], [b]) => a - b).map(([block, cells]) => ({ at: from + block * blockMs, ...cells }));
}

const TIME = (parameter: number): string => `to_timestamp($${parameter}::float8 / 1000)`;
/** Of a batch: what its attempts cost, how many there were, and what share of its records had to be dispatched again. */
const SPENT = (from: number): string => `
  select b.id, coalesce(sum(i.cost_usd), 0) as cost_usd, count(i.run_id) as attempts,
         coalesce(sum(i.retried + case when i.outcome <> 'ok' then i.records_in else 0 end), 0) as again
    from b left join autoflow.invocations i on i.batch_id = b.id and i.pipeline = $1 and i.started_at >= ${TIME(from)} group by b.id`;

/**
 * A record belongs to the block in which it arrived, so that one that is late is missed there, and counts with its age; a batch to the block in
 * which it was closed, when all that it cost is known. A batch that went back into the inbox had no outcome and is charged nothing here.
 */
const BLOCKS = `
with b as (
  select id, (arm = $2 and ($3::text is null or version = $3)) as ours, state, closed_at, dissolved,
         completed + filtered + dead + cancelled as n
    from autoflow.batches
   where pipeline = $1 and arm is not null and opened_at >= ${TIME(6)}
     and (arm = $2 and ($3::text is null or version = $3) or arm = $4 and ($5::text is null or version = $5))),
s as (${SPENT(6)}),
e as (
  select b.ours, r.state, r.arrived_at, extract(epoch from r.ended_at - r.arrived_at)::float8 * 1000 as ms,
         least(1, s.again::float8 / greatest(b.n, 1)) as again
    from autoflow.records r join b on b.id = r.batch_id join s on s.id = b.id
   where r.pipeline = $1 and r.ended_at >= ${TIME(6)} and r.arrived_at >= ${TIME(6)} and r.arrived_at < ${TIME(7)} and r.state <> 'cancelled'
  union all
  select b.ours, r.state, r.arrived_at, extract(epoch from clock_timestamp() - r.arrived_at)::float8 * 1000, 0
    from autoflow.records r join b on b.id = r.batch_id and b.state = 'open'
   where r.pipeline = $1 and r.state = 'running' and r.arrived_at >= ${TIME(6)} and r.arrived_at < ${TIME(7)}
  union all
  select i.bucket between $11 and $12, 'running', i.arrived_at, extract(epoch from clock_timestamp() - i.arrived_at)::float8 * 1000, 0
    from autoflow.inbox i
   where i.pipeline = $1 and i.version is null and i.arrived_at >= ${TIME(6)} and i.arrived_at < ${TIME(7)}
     and (i.bucket between $11 and $12 or i.bucket between $13 and $14)),
q as (select coalesce(percentile_disc(array[0.95, 0.99]) within group (order by ms), array[0, 0]::float8[]) as at from e where not ours),
r as (
  select ours, floor(extract(epoch from arrived_at - ${TIME(6)})::float8 * 1000 / $8::float8)::int as block,
         count(*) as records, count(*) filter (where state = 'running') as running, count(*) filter (where state = 'dead') as dead,
         sum(again) as errors, count(*) filter (where state = 'filtered') as filtered, sum(greatest(ms, 0)) as latency_ms,
         count(*) filter (where ms > q.at[1] * case when ours then $9::float8 else 1 end) as slow95,
         count(*) filter (where ms > q.at[2] * case when ours then $10::float8 else 1 end) as slow99
    from e cross join q group by 1, 2),
c as (
  select ours, floor(extract(epoch from closed_at - ${TIME(6)})::float8 * 1000 / $8::float8)::int as block, sum(n) as charged,
         sum(s.cost_usd) as cost_usd, count(*) as executions, sum(s.attempts) as attempts
    from b join s using (id)
   where state = 'closed' and dissolved = 0 and closed_at < ${TIME(7)} group by 1, 2)
select ours, block, coalesce(records, 0)::float8 as records, coalesce(running, 0)::float8 as running, coalesce(dead, 0)::float8 as dead,
       coalesce(errors, 0)::float8 as errors, coalesce(filtered, 0)::float8 as filtered, coalesce(latency_ms, 0)::float8 as "latencyMs",
       coalesce(slow95, 0)::float8 as slow95, coalesce(slow99, 0)::float8 as slow99, coalesce(charged, 0)::float8 as charged,
       coalesce(cost_usd, 0)::float8 as "costUsd", coalesce(executions, 0)::float8 as executions, coalesce(attempts, 0)::float8 as attempts
  from r full join c using (ours, block) order by block`;

const WORKLOAD = `
select $2::float8 + $4::float8 * floor(extract(epoch from opened_at - ${TIME(2)})::float8 * 1000 / $4::float8) as at, sum(admitted)::float8 as records,
       sum((ref ->> 'bytes')::float8) as bytes, sum(completed + filtered + dead)::float8 as settled, sum(filtered)::float8 as filtered
  from autoflow.batches
 where pipeline = $1 and arm is not null and backfill_id is null and dissolved = 0 and opened_at >= ${TIME(2)} and opened_at < ${TIME(3)}
 group by 1 order by 1`;

const TOTALS = `
with b as (
  select id, arm, completed + filtered + dead + cancelled as n, dead from autoflow.batches
   where pipeline = $1 and arm in ('stable', 'candidate', 'control', 'holdout') and opened_at >= ${TIME(2)} and opened_at < ${TIME(3)}),
s as (${SPENT(2)})
select arm, sum(n)::float8 as records, sum(dead)::float8 as dead, sum(s.cost_usd)::float8 as "costUsd", count(*)::float8 as executions,
       sum(s.attempts)::float8 as attempts
  from b join s using (id) group by arm`;
