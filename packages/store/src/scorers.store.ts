import { costPer1000, temporalActions, type Prices } from '@autoflow/twin';
import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { NotFoundError } from './errors.js';
import { many, one } from './rows.js';
import type { CurrentScorer, HistoryQuery, HistoryStretch, ScorerRow, ScorerStore } from './scorers.model.js';

const SCORER = `select id, pipeline, release, kept, reason, about, created_at as "createdAt" from autoflow.scorers`;

export function scorerStore(database: Database, prices: Prices): ScorerStore {
  return {
    asked: ({ id, pipeline, request }, by) =>
      database.transaction((sql) => audit(sql, by, { action: 'scorer.retrain', pipeline, after: { id, request } })),
    add: (scorer) => database.transaction((sql) => add(sql, scorer)),
    current: (pipeline, release) => current(database, pipeline, release),
    get: (id) => find(database, id),
    page: (pipeline, { limit, after }) =>
      many<ScorerRow>(
        database,
        `${SCORER} where pipeline = $1
           and ($2::text is null or (created_at, id) < (select created_at, id from autoflow.scorers where pipeline = $1 and id = $2))
          order by created_at desc, id desc limit $3`,
        [pipeline, after, limit],
      ),
    history: (query) => history(database, prices, query),
  };
}

const find = (sql: Sql, id: string) => one<ScorerRow>(sql, `${SCORER} where id = $1`, [id]);

const current = (sql: Sql, pipeline: string, release: string) =>
  one<CurrentScorer>(
    sql,
    'select id, about, file from autoflow.scorers where pipeline = $1 and release = $2 and kept order by created_at desc, id desc limit 1',
    [pipeline, release],
  );

async function add(
  sql: Sql,
  { id, pipeline, release, base, about, file, ...found }: Parameters<ScorerStore['add']>[0],
): Promise<ScorerRow> {
  // The pipeline's row: of two at once, the second sees the first.
  const [locked] = await sql.query('select name from autoflow.pipelines where name = $1 for no key update', [pipeline]);
  if (locked === undefined) throw new NotFoundError('pipeline', pipeline);
  const there = await find(sql, id);
  if (there !== undefined) return there;
  const used = (await current(sql, pipeline, release))?.id;
  const overtaken = found.kept && used !== base;
  const kept = found.kept && !overtaken;
  const reason = overtaken
    ? `${found.reason} But meanwhile ${used ?? 'the one that comes with AutoFlow'} is used, which it was not held against: retrain again.`
    : found.reason;
  await sql.query('insert into autoflow.scorers (id, pipeline, release, kept, reason, about, file) values ($1, $2, $3, $4, $5, $6, $7)', [
    ...[id, pipeline, release, kept, reason],
    ...[JSON.stringify(about), file],
  ]);
  return (await find(sql, id))!;
}

interface Columns extends Omit<HistoryStretch, 'costPer1000'> {
  readonly costUsd: number;
  readonly executions: number;
  readonly invocations: number;
}

/**
 * The allocation of a stretch is what the audit log says was set last before it, else what the first change after it replaced, else what there is;
 * a stretch in which it was changed tells of none. Records are counted where they end, for rows of records that arrived lie anywhere. Stretches and
 * changes are sorted into one row of events, and those that follow the n-th change have number n: whatever there is of either, each is looked at once.
 */
const HISTORY = `
with s as (
  select version, date_bin($5::float8 * interval '1 millisecond', ended_at, $3::timestamptz) as at, count(*) as records,
         count(*) filter (where state <> 'dead') as good, extract(epoch from max(ended_at) - min(ended_at))::float8 as ended_s,
         extract(epoch from max(arrived_at) - min(arrived_at))::float8 as arrived_s,
         percentile_cont(0.95) within group (order by extract(epoch from ended_at - arrived_at)::float8 * 1000) as p95
    from autoflow.records
   where pipeline = $1 and release = $2 and ended_at >= $3 and ended_at < $4 and state in ('completed', 'filtered', 'dead')
   group by 1, 2 having count(*) >= $6),
i as (
  select version, date_bin($5::float8 * interval '1 millisecond', started_at, $3::timestamptz) as at, sum(cost_usd) as cost,
         count(*) as invocations, count(distinct execution_id) as executions
    from autoflow.invocations where pipeline = $1 and release = $2 and started_at >= $3 and started_at < $4 group by 1, 2),
changes as (
  select coalesce(after, before) ->> 'version' as version, id, at, before -> 'stages' as before, after -> 'stages' as after
    from autoflow.audit
   where pipeline = $1 and action in ('allocation.set', 'allocation.clamp') and (before -> 'stages')::text is distinct from (after -> 'stages')::text),
events as (
  select *, sum(change) over (partition by version order by at, id rows unbounded preceding) as n
    from (select *, 0 as change, 0 as id, null::json as before, null::json as after from s join i using (version, at)
          union all
          select version, at, null, null, null, null, null, null, null, null, 1, id, before, after from changes) e),
around as (
  select *, first_value(after) over (partition by version, n order by change desc) as earlier,
         first_value(before) over (partition by version, n - change order by change desc) as later,
         max(at) filter (where change = 1) over (partition by version, n - change) as until
    from events)
select e.version, e.at, v.topology, e.records::int as records,
       e.records / greatest(e.arrived_s, 0.001) as "ratePerSecond", e.good / greatest(e.ended_s, 0.001) as throughput, e.p95 as "p95Ms",
       e.cost as "costUsd", e.invocations::int as invocations, e.executions::int as executions,
       coalesce(e.earlier, e.later, a.stages::json) as allocation
  from around e
  join autoflow.versions v on v.pipeline = $1 and v.name = e.version
  join autoflow.allocations a on a.pipeline = $1 and a.version = e.version
 where e.change = 0 and (e.until is null or e.until >= e.at + $5::float8 * interval '1 millisecond')
 order by e.at desc, e.version limit $7`;

async function history(
  database: Database,
  prices: Prices,
  { pipeline, release, from, to, stretchMs, fewestRecords, limit }: HistoryQuery,
): Promise<HistoryStretch[]> {
  const rows = await many<Columns>(database.patient, HISTORY, [pipeline, release, from, to, stretchMs, fewestRecords, limit]);
  return rows.map(({ costUsd, executions, invocations, ...stretch }) => {
    const actions = temporalActions({ runs: executions, localActivityTasks: executions, activityAttempts: invocations });
    return { ...stretch, costPer1000: costPer1000(costUsd + actions * prices.temporalAction.usd, stretch.records) ?? Number.NaN };
  });
}
