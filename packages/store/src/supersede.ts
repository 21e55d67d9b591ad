import { audit } from './audit.js';
import type { Sql } from './database.js';
import type { ArmShare } from './arms.model.js';
import type { Actor } from './definitions.model.js';
import { one } from './rows.js';
import { recordStatus } from './version-status.js';

export interface Superseded {
  readonly id: string;
  readonly version: string;
  readonly baseline: string;
  /** The holdout that there was before its canary. */
  readonly holdout?: ArmShare;
  /** Another version than the candidate is stable now. */
  readonly elsewhere: boolean;
}

/** Of a rollout `r`: what its present step is, it has been until now. */
const STEPS = `(
  select coalesce(json_agg(case when step -> 'to' is not null then step
           else (step::jsonb || jsonb_build_object('to', extract(epoch from clock_timestamp())::float8 * 1000))::json end order by n), '[]')
    from json_array_elements(r.steps) with ordinality as s (step, n))`;

/** Ends the rollout that is active, because somebody has moved the traffic by hand; belongs into that transaction. */
export async function supersede(sql: Sql, pipeline: string, by: Actor): Promise<Superseded | undefined> {
  const row = await one<Superseded>(
    sql,
    `update autoflow.rollouts r set state = 'superseded', outcome = $2, paused = false, steps = ${STEPS}, ended_at = clock_timestamp()
       from autoflow.pipelines p where r.pipeline = $1 and r.ended_at is null and p.name = r.pipeline
       returning r.id, r.version, r.baseline, r.holdout, p.stable_version <> r.version as elsewhere`,
    [pipeline, `${by.actor} has moved the traffic: ${by.reason}`],
  );
  if (row === undefined) return undefined;
  if (row.elsewhere) await recordStatus(sql, pipeline, row.version, 'rolled-back', by);
  await audit(sql, by, { action: 'rollout.superseded', pipeline, after: { rollout: row.id, version: row.version } });
  return row;
}
