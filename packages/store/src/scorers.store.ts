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
 * a stretch in which it was changed tells of none. Records are counted where they end, for rows of records that arrived lie anywhere. The newest
 * stretches come first, so that no more of them are looked up than are asked for.
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
spans as (
  select version, after as stages, at as since, lead(at, 1, 'infinity') over (partition by version order by at, id) as until from changes
  union all
  (select distinct on (version) version, before, '-infinity', at from changes order by version, at, id)),
latest as (
  select s.*, c.stages
    from (select * from s join i using (version, at) order by at desc, version) s
    left join lateral (select stages, until from spans where version = s.version and since < s.at and until >= s.at limit 1) c on true
   where c.until is null or c.until >= s.at + $5::float8 * interval '1 millisecond'
   order by s.at desc, s.version limit $7)
select l.version, l.at, v.topology, l.records::int as records,
       l.records / greatest(l.arrived_s, 0.001) as "ratePerSecond", l.good / greatest(l.ended_s, 0.001) as throughput, l.p95 as "p95Ms",
       l.cost as "costUsd", l.invocations::int as invocations, l.executions::int as executions, coalesce(l.stages, a.stages::json) as allocation
  from latest l
  join autoflow.versions v on v.pipeline = $1 and v.name = l.version
  join autoflow.allocations a on a.pipeline = $1 and a.version = l.version
 order by l.at desc, l.version`;

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
