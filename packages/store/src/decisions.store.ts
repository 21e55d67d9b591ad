import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import type { DecisionRow, DecisionStore } from './decisions.model.js';
import type { Actor } from './definitions.model.js';
import { one } from './rows.js';
import { recordStatus, statusesOf } from './version-status.js';

/** A version that became stable with the topology of the one before carries its decision on; one that became so while it was has been kept. */
const CURRENT = `
with became as (
  select s.id, s.at, s.version, lag(s.version) over w as before, v.topology::jsonb as topology, lag(v.topology::jsonb) over w as topology_before
    from autoflow.version_statuses s join autoflow.versions v on v.pipeline = s.pipeline and v.name = s.version
   where s.pipeline = $1 and s.status = 'stable' window w as (order by s.id))
select d.id::text, $1 as pipeline, d.at,
       (select min(e.at) from autoflow.version_statuses e where e.pipeline = $1 and e.status = 'expired' and e.id > d.id) as "expiredAt"
  from became d where topology is distinct from topology_before or version = before order by d.id desc limit 1`;

export function decisionStore(database: Database): DecisionStore {
  return {
    current: (pipeline) => current(database, pipeline),
    expire: (pipeline, version, by) => database.transaction((sql) => expire(sql, pipeline, version, by)),
    keep: (decision, by) => database.transaction((sql) => keep(sql, decision, by)),
  };
}

const current = (sql: Sql, pipeline: string) => one<DecisionRow>(sql, CURRENT, [pipeline]);

async function expire(sql: Sql, pipeline: string, version: string, by: Actor): Promise<boolean> {
  await sql.query('select from autoflow.versions where pipeline = $1 and name = $2 for update', [pipeline, version]);
  if ((await statusesOf(sql, pipeline, version)).at(-1)?.status === 'expired') return false;
  await recordStatus(sql, pipeline, version, 'expired', by);
  await audit(sql, by, { action: 'version.expire', pipeline, after: { version } });
  return true;
}

async function keep(sql: Sql, { id, pipeline }: Parameters<DecisionStore['keep']>[0], by: Actor): Promise<boolean> {
  const [locked] = await sql.query<{ version: string }>(
    'select stable_version as version from autoflow.pipelines where name = $1 for update',
    [pipeline],
  );
  const now = await current(sql, pipeline);
  if (locked === undefined || now?.id !== id || now.expiredAt === undefined) return false;
  await recordStatus(sql, pipeline, locked.version, 'stable', by);
  await audit(sql, by, { action: 'version.keep', pipeline, after: { version: locked.version } });
  return true;
}
