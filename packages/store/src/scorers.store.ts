import { costPer1000, temporalActions, type Prices } from '@autoflow/twin';
import type { Database } from './database.js';
import { many, one } from './rows.js';
import type { HistoryQuery, HistoryStretch, ScorerRow, ScorerStore } from './scorers.model.js';

const SCORER = `select id, pipeline, kept, reason, about, created_at as "createdAt" from autoflow.scorers`;

export function scorerStore(database: Database, prices: Prices): ScorerStore {
  return {
    async add({ id, pipeline, kept, reason, about, file }) {
      await database.query(
        'insert into autoflow.scorers (id, pipeline, kept, reason, about, file) values ($1, $2, $3, $4, $5, $6) on conflict do nothing',
        [id, pipeline, kept, reason, JSON.stringify(about), file],
      );
      return (await one<ScorerRow>(database, `${SCORER} where id = $1`, [id]))!;
    },
    current: (pipeline) =>
      one<{ id: string; file: string }>(
        database,
        'select id, file from autoflow.scorers where pipeline = $1 and kept order by created_at desc, id desc limit 1',
        [pipeline],
      ),
    get: (id) => one<ScorerRow>(database, `${SCORER} where id = $1`, [id]),
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

interface Columns extends Omit<HistoryStretch, 'costPer1000'> {
  readonly costUsd: number;
  readonly executions: number;
  readonly invocations: number;
}

/**
 * The allocation of a stretch is what the audit log says was set last before it, else what the first change after it replaced, else what there is;
 * a stretch in which it was changed tells of none. Records are counted where they end, for rows of records that arrived lie anywhere.
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
  select coalesce(after, before) ->> 'version' as version, at, before -> 'stages' as before, after -> 'stages' as after
    from autoflow.audit where pipeline = $1 and action in ('allocation.set', 'allocation.clamp'))
select s.version, s.at, v.topology, s.records::int as records,
       s.records / greatest(s.arrived_s, 0.001) as "ratePerSecond", s.good / greatest(s.ended_s, 0.001) as throughput, s.p95 as "p95Ms",
       i.cost as "costUsd", i.invocations::int as invocations, i.executions::int as executions,
       coalesce((select c.after from changes c where c.version = s.version and c.at < s.at order by c.at desc limit 1),
                (select c.before from changes c where c.version = s.version and c.at >= s.at order by c.at limit 1), a.stages::json) as allocation
  from s join i using (version, at)
  join autoflow.versions v on v.pipeline = $1 and v.name = s.version
  join autoflow.allocations a on a.pipeline = $1 and a.version = s.version
 where not exists (select from changes c where c.version = s.version and c.at >= s.at and c.at < s.at + $5::float8 * interval '1 millisecond'
                     and c.before::text is distinct from c.after::text)
 order by s.at desc, s.version limit $7`;

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
