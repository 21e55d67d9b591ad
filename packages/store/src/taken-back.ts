import type { Topology } from '@autoflow/topology';
import type { FunctionHashes } from './bundles.model.js';
import type { Sql } from './database.js';
import type { TakenBack } from './rollouts.model.js';
import { many } from './rows.js';

/**
 * Of every version the last rollout, where it was rolled back by what was measured or by somebody's hand since the decision began that holds, and since
 * it expired: what was found for another stable topology, or for a workload that is no more, says nothing of now. Keeping what is stable lifts nothing.
 */
const TAKEN_BACK = `
with became as (
  select s.id, v.topology::jsonb as topology, lag(v.topology::jsonb) over (order by s.id) as topology_before
    from autoflow.version_statuses s join autoflow.versions v on v.pipeline = s.pipeline and v.name = s.version
   where s.pipeline = $1 and s.status = 'stable'),
began as (
  select id from became where topology is distinct from topology_before
   union all select id from autoflow.version_statuses where pipeline = $1 and status = 'expired'),
ended as (
  select distinct on (version) id, version, outcome, state from autoflow.rollouts
   where pipeline = $1 and ended_at is not null order by version, ended_at desc),
latest as (select distinct on (version) id, version, status from autoflow.version_statuses where pipeline = $1 order by version, id desc)
select ended.id as rollout, ended.version, ended.outcome, v.topology, v.release, r.functions,
       (select functions from autoflow.releases where pipeline = $1 and hash = $2) as now
  from ended join latest using (version)
  join autoflow.versions v on v.pipeline = $1 and v.name = ended.version join autoflow.releases r on r.pipeline = $1 and r.hash = v.release
 where ended.state in ('rolled-back', 'superseded') and latest.status = 'rolled-back' and latest.id > coalesce((select max(id) from began), 0)
 order by v.number`;

interface Row extends TakenBack {
  readonly release: string;
  readonly functions?: FunctionHashes;
  /** Of the release that is asked for. */
  readonly now?: FunctionHashes;
}

export async function takenBack(sql: Sql, pipeline: string, release: string): Promise<TakenBack[]> {
  const rows = await many<Row>(sql, TAKEN_BACK, [pipeline, release]);
  return rows
    .filter((row) => row.release === release || isSameCode(row))
    .map(({ rollout, version, outcome, topology }) => ({ rollout, version, outcome, topology }));
}

/** What was found holds for the code that it was found with: see `survivingRows`. */
function isSameCode({ topology, functions = {}, now = {} }: Row): boolean {
  return nodesOf(topology).every((node) => Object.hasOwn(now, node) && now[node] === functions[node]);
}

export const nodesOf = ({ stages }: Topology): readonly string[] => stages.flatMap(({ nodes }) => nodes);
