import { moveArms } from './arms.store.js';
import type { ArmShare } from './arms.model.js';
import { audit } from './audit.js';
import type { Sql } from './database.js';
import { moveStablePointer } from './definitions.store.js';
import type { RolloutStore } from './rollouts.model.js';
import { one } from './rows.js';
import { moveStable } from './stable-lock.js';
import { supersede } from './supersede.js';
import { recordStatus } from './version-status.js';

interface Promoted {
  readonly version: string;
  readonly baseline: string;
  readonly holdout?: ArmShare;
}

/** Does nothing where the rollout has not ended so, or where somebody has made another version stable since. */
export async function undoPromotion(sql: Sql, { id, outcome, by }: Parameters<RolloutStore['undoPromotion']>[0]): Promise<void> {
  const rollout = await one<{ pipeline: string }>(sql, 'select pipeline from autoflow.rollouts where id = $1', [id]);
  if (rollout === undefined) return;
  const { pipeline } = rollout;
  await moveStable(sql, pipeline);
  await sql.query('select from autoflow.pipelines where name = $1 for update', [pipeline]);
  const promoted = await one<Promoted>(
    sql,
    `select r.version, r.baseline, r.holdout from autoflow.rollouts r join autoflow.pipelines p on p.name = r.pipeline and p.stable_version = r.version
      where r.id = $1 and r.state = 'promoted'`,
    [id],
  );
  if (promoted === undefined) return;
  const { version, baseline, holdout } = promoted;
  await moveStablePointer(sql, { pipeline, version: baseline, by });
  await moveArms(sql, { pipeline, ...(holdout && { holdout }), by });
  await supersede(sql, pipeline, by);
  await recordStatus(sql, pipeline, version, 'rolled-back', by);
  await sql.query('update autoflow.rollouts set state = $2, outcome = $3 where id = $1', [id, outcome, by.reason]);
  await audit(sql, by, { action: `rollout.${outcome}`, pipeline, after: { rollout: id, version, was: 'promoted' } });
}
