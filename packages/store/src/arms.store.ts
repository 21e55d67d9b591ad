import { audit } from './audit.js';
import { BUCKETS, controlBeside, type Arms, type ArmsStore } from './arms.model.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, StaleRevisionError, StoreError } from './errors.js';
import { notify } from './notify.js';
import { one } from './rows.js';
import { moveStable } from './stable-lock.js';
import { supersede } from './supersede.js';

const ARMS = `select json_build_object('version', stable_version, 'revision', stable_revision) as stable,
  case when candidate_version is not null then json_build_object('version', candidate_version, 'share', candidate_share) end as candidate,
  case when control_share > 0 then json_build_object('version', coalesce(control_version, stable_version), 'share', control_share) end as control,
  case when holdout_version is not null then json_build_object('version', holdout_version, 'share', holdout_share) end as holdout,
  arms_revision as revision, feeding_paused as "feedingPaused" from autoflow.pipelines where name = $1`;

/** Moves of the arms wait for batches that are being opened by them, as moves of the stable pointer do. */
export function armsStore(database: Database): ArmsStore {
  return {
    arms: (pipeline) => findArms(database, pipeline),
    setArms: (request) =>
      database.transaction(async (sql) => {
        const arms = await moveArms(sql, request);
        await supersede(sql, request.pipeline, request.by);
        return arms;
      }),
    setFeeding: (request) => database.transaction((sql) => setFeeding(sql, request)),
  };
}

export const findArms = (sql: Sql, pipeline: string) => one<Arms>(sql, ARMS, [pipeline]);

/** Without regard to a rollout: that is the caller's. */
export async function moveArms(
  sql: Sql,
  { pipeline, candidate, control: wanted, holdout, revision, by }: Parameters<ArmsStore['setArms']>[0],
): Promise<Arms> {
  checkShares(candidate?.share, wanted?.share, holdout?.share);
  await moveStable(sql, pipeline);
  const before = await locked(sql, pipeline, revision);
  const control = wanted ?? controlBeside(before.stable.version, holdout, candidate);
  for (const version of [candidate?.version, control?.version, holdout?.version])
    if (
      version !== undefined &&
      (await sql.query('select from autoflow.versions where pipeline = $1 and name = $2', [pipeline, version])).length === 0
    )
      throw new NotFoundError('version', version);
  await sql.query(
    `update autoflow.pipelines set candidate_version = $2, candidate_share = $3, holdout_version = $4, holdout_share = $5, control_version = $6,
       control_share = $7, arms_revision = arms_revision + 1 where name = $1`,
    [pipeline, candidate?.version, candidate?.share ?? 0, holdout?.version, holdout?.share ?? 0, control?.version, control?.share ?? 0],
  );
  const after = (await findArms(sql, pipeline))!;
  await audit(sql, by, { action: 'arms.set', pipeline, before: shares(before), after: shares(after) });
  await notify(sql, ['autoflow_inbox', 'autoflow_pools'], pipeline);
  return after;
}

async function setFeeding(sql: Sql, { pipeline, paused, revision, by }: Parameters<ArmsStore['setFeeding']>[0]): Promise<Arms> {
  await moveStable(sql, pipeline);
  const before = await locked(sql, pipeline, revision);
  if (before.feedingPaused === paused) return before;
  await sql.query('update autoflow.pipelines set feeding_paused = $2, arms_revision = arms_revision + 1 where name = $1', [
    pipeline,
    paused,
  ]);
  await audit(sql, by, { action: paused ? 'feeding.pause' : 'feeding.resume', pipeline });
  await notify(sql, ['autoflow_inbox'], pipeline);
  return { ...before, feedingPaused: paused, revision: before.revision + 1 };
}

async function locked(sql: Sql, pipeline: string, revision: number | undefined): Promise<Arms> {
  await sql.query('select from autoflow.pipelines where name = $1 for update', [pipeline]);
  const found = await findArms(sql, pipeline);
  if (found === undefined) throw new NotFoundError('pipeline', pipeline);
  if (revision !== undefined && revision !== found.revision)
    throw new StaleRevisionError(`the arms of ${pipeline}`, revision, found.revision);
  return found;
}

function checkShares(...given: readonly (number | undefined)[]): void {
  const shares = given.map((share) => share ?? 0);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum <= BUCKETS && shares.every((share) => Number.isInteger(share) && share >= 0)) return;
  throw new StoreError(
    'SETTINGS_INVALID',
    `shares of ${shares.join(', ')} were given. Give whole numbers from 0, together at most ${BUCKETS} (that is 100 %).`,
  );
}

const shares = ({ candidate, control, holdout, revision }: Arms) => ({ candidate, control, holdout, revision });
