/** Pipelines, releases, versions, the stable pointer and allocations: every change is one transaction with its audit row. */
import { hashVersion, outsideClamp } from '@autoflow/topology';
import { BUCKETS } from './arms.model.js';
import { moveArms } from './arms.store.js';
import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, OutsideClampError, StaleRevisionError } from './errors.js';
import type { Actor, AllocationRow, DefinitionStore, PipelineRow, ReleaseRow, VersionRow } from './definitions.model.js';
import { notify } from './notify.js';
import { dense, many, one } from './rows.js';
import { moveStable } from './stable-lock.js';
import { supersede } from './supersede.js';
import { recordStatus, statusesOf } from './version-status.js';

type NewVersion = Parameters<DefinitionStore['registerVersion']>[0];

export const PIPELINE = `select p.name, p.created_at as "createdAt",
  json_build_object('version', p.stable_version, 'release', v.release, 'revision', p.stable_revision) as stable
  from autoflow.pipelines p join autoflow.versions v on v.pipeline = p.name and v.name = p.stable_version`;
const RELEASE = 'select pipeline, hash, spec, functions, created_at as "createdAt" from autoflow.releases';
export const VERSION =
  'select pipeline, name, hash, release, topology, envelope, parent, author, note, proposal, created_at as "createdAt" from autoflow.versions';
const ALLOCATION = 'select pipeline, version, revision, stages, clamps, actor, reason, updated_at as "updatedAt" from autoflow.allocations';

/** When a version was stable is in the audit log: the first one of a pipeline is there only as what was before. */
const LAST_STABLE = `
select v.name from autoflow.versions v join autoflow.pipelines p on p.name = v.pipeline
  left join lateral (
    select max(case when a.after ->> 'version' = v.name then a.id else a.id - 0.5 end) as at from autoflow.audit a
     where a.pipeline = v.pipeline and a.action = 'stable.set' and v.name in (a.after ->> 'version', a.before ->> 'version')) was on true
 where v.pipeline = $1 and v.release = $2
 order by v.name = p.stable_version desc, was.at desc nulls last, v.number desc limit 1`;

const CLEAR_ARMS = `
update autoflow.pipelines p
   set candidate_version = null, candidate_share = 0, control_version = null, arms_revision = arms_revision + 1,
       control_share = case when kept.holdout and 2 * holdout_share <= ${BUCKETS} then holdout_share else 0 end,
       holdout_version = case when kept.holdout then holdout_version end, holdout_share = case when kept.holdout then holdout_share else 0 end
  from (select p.name, coalesce(h.release = v.release and h.name <> v.name, false) as holdout
          from autoflow.pipelines p join autoflow.versions v on v.pipeline = p.name and v.name = p.stable_version
          left join autoflow.versions h on h.pipeline = p.name and h.name = p.holdout_version where p.name = $1) kept
 where p.name = kept.name and (candidate_version is not null or control_share > 0 or holdout_version is not null and not kept.holdout)`;

export function definitionStore(database: Database): DefinitionStore {
  return {
    registerRelease: ({ release, topology, envelope, allocation, parent, note, by }) =>
      database.transaction(async (sql) => {
        const isNew = await insertPipeline(sql, release.pipeline);
        await insertRelease(sql, release, by);
        const hash = hashVersion({ release: release.hash, topology, envelope });
        const registered = await registerVersion(sql, {
          pipeline: release.pipeline,
          hash,
          release: release.hash,
          topology,
          envelope,
          allocation,
          ...(parent !== undefined && { parent }),
          ...(note !== undefined && { note }),
          by,
        });
        if (isNew) await recordStatus(sql, release.pipeline, 'v1', 'stable', by);
        if (isNew) await notify(sql, ['autoflow_stable', 'autoflow_pools'], release.pipeline);
        return registered;
      }),
    registerVersion: (request) => database.transaction((sql) => registerVersion(sql, request)),
    setStable: (request) =>
      database.transaction(async (sql) => {
        const after = await moveStablePointer(sql, request);
        const { baseline, holdout } = (await supersede(sql, request.pipeline, request.by)) ?? {};
        // The canary alone is taken back: what was kept back before it is kept back again.
        if (holdout !== undefined && baseline === after.stable.version)
          await moveArms(sql, { pipeline: request.pipeline, holdout, by: request.by });
        return after;
      }),
    setAllocation: (request) => database.transaction((sql) => setAllocation(sql, request)),

    pipelines: async () => (await database.query<PipelineRow>(`${PIPELINE} order by p.name`)).map(dense),
    pipeline: (name) => findPipeline(database, name),
    release: (pipeline, hash) => one<ReleaseRow>(database, `${RELEASE} where pipeline = $1 and hash = $2`, [pipeline, hash]),
    releases: (pipeline) => many<ReleaseRow>(database, `${RELEASE} where pipeline = $1 order by created_at, hash`, [pipeline]),
    functionHashes: async (pipeline, release) =>
      (await one<Pick<ReleaseRow, 'functions'>>(database, `${RELEASE} where pipeline = $1 and hash = $2`, [pipeline, release]))
        ?.functions ?? {},
    version: (pipeline, name) => findVersion(database, pipeline, name),
    versions: (pipeline) => many<VersionRow>(database, `${VERSION} where pipeline = $1 order by number`, [pipeline]),
    statuses: (pipeline, version) => statusesOf(database, pipeline, version),
    lastStableOf: async (pipeline, release) => (await one<{ name: string }>(database, LAST_STABLE, [pipeline, release]))?.name,
    allocation: (pipeline, version) => findAllocation(database, pipeline, version),
  };
}

/** Version v1 does not exist yet: the foreign key is checked when the transaction commits. */
async function insertPipeline(sql: Sql, name: string): Promise<boolean> {
  const inserted = await sql.query(
    `insert into autoflow.pipelines (name, stable_version) values ($1, 'v1') on conflict do nothing returning name`,
    [name],
  );
  return inserted.length > 0;
}

async function insertRelease(sql: Sql, { pipeline, hash, spec, functions }: Omit<ReleaseRow, 'createdAt'>, by: Actor): Promise<void> {
  const inserted = await sql.query(
    `insert into autoflow.releases (pipeline, hash, spec, functions) values ($1, $2, $3, $4) on conflict do nothing returning hash`,
    [pipeline, hash, JSON.stringify(spec), functions && JSON.stringify(functions)],
  );
  if (inserted.length > 0) await audit(sql, by, { action: 'release.register', pipeline, after: { release: hash } });
}

async function registerVersion(sql: Sql, request: NewVersion): Promise<{ version: VersionRow; created: boolean }> {
  const { pipeline, hash, release, allocation, by } = request;
  const [locked] = await sql.query<{ versions: number }>('select versions from autoflow.pipelines where name = $1 for update', [pipeline]);
  if (locked === undefined) throw new NotFoundError('pipeline', pipeline);
  const there = await one<VersionRow>(sql, `${VERSION} where pipeline = $1 and hash = $2`, [pipeline, hash]);
  if (there !== undefined) return { version: there, created: false };
  if ((await sql.query('select from autoflow.releases where pipeline = $1 and hash = $2', [pipeline, release])).length === 0)
    throw new NotFoundError('release', release);

  const number = locked.versions + 1;
  const name = `v${number}`;
  await sql.query('update autoflow.pipelines set versions = $2 where name = $1', [pipeline, number]);
  await sql.query(
    `insert into autoflow.versions (pipeline, name, number, hash, release, topology, envelope, parent, author, note, proposal)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      pipeline,
      name,
      number,
      hash,
      release,
      JSON.stringify(request.topology),
      JSON.stringify(request.envelope),
      request.parent,
      by.actor,
      request.note,
      request.proposal && JSON.stringify(request.proposal),
    ],
  );
  await sql.query('insert into autoflow.allocations (pipeline, version, stages, actor, reason) values ($1, $2, $3, $4, $5)', [
    pipeline,
    name,
    JSON.stringify(allocation),
    by.actor,
    by.reason,
  ]);
  await recordStatus(sql, pipeline, name, 'registered', by);
  await audit(sql, by, { action: 'version.register', pipeline, after: { version: name, hash, release, parent: request.parent } });
  return { version: (await findVersion(sql, pipeline, name))!, created: true };
}

/**
 * Candidate and its control end with it, so that who rolls back in the midst of a canary has rolled back; so does a holdout of the version itself or
 * of another release, and one that stays has its own control (`controlBeside`). What it means for a rollout is the caller's.
 */
export async function moveStablePointer(sql: Sql, request: Parameters<DefinitionStore['setStable']>[0]): Promise<PipelineRow> {
  const { pipeline, version, revision, by } = request;
  await moveStable(sql, pipeline);
  await sql.query('select from autoflow.pipelines where name = $1 for update', [pipeline]);
  const before = await findPipeline(sql, pipeline);
  if (before === undefined) throw new NotFoundError('pipeline', pipeline);
  if (revision !== undefined && revision !== before.stable.revision)
    throw new StaleRevisionError(`the stable pointer of ${pipeline}`, revision, before.stable.revision);
  if ((await findVersion(sql, pipeline, version)) === undefined) throw new NotFoundError('version', version);
  await sql.query('update autoflow.pipelines set stable_version = $2, stable_revision = stable_revision + 1 where name = $1', [
    pipeline,
    version,
  ]);
  await sql.query(CLEAR_ARMS, [pipeline]);
  const after = (await findPipeline(sql, pipeline))!;
  if (version !== before.stable.version) {
    await recordStatus(sql, pipeline, before.stable.version, 'retired', by);
    await recordStatus(sql, pipeline, version, 'stable', by);
  }
  await audit(sql, by, { action: 'stable.set', pipeline, before: before.stable, after: after.stable });
  await notify(sql, ['autoflow_stable', 'autoflow_pools'], pipeline);
  return after;
}

async function setAllocation(sql: Sql, request: Parameters<DefinitionStore['setAllocation']>[0]): Promise<AllocationRow> {
  const { pipeline, version, stages, clamps, observed, revision, by } = request;
  await sql.query('select from autoflow.allocations where pipeline = $1 and version = $2 for update', [pipeline, version]);
  const before = await findAllocation(sql, pipeline, version);
  if (before === undefined) throw new NotFoundError('version', `${pipeline} ${version}`);
  if (revision !== undefined && revision !== before.revision)
    throw new StaleRevisionError(`the allocation of ${pipeline} ${version}`, revision, before.revision);
  mustRespect(clamps ?? before.clamps, stages);
  await sql.query(
    `update autoflow.allocations set stages = $3, clamps = $4, revision = revision + 1, actor = $5, reason = $6, updated_at = now()
      where pipeline = $1 and version = $2`,
    [pipeline, version, JSON.stringify(stages), JSON.stringify(clamps ?? before.clamps), by.actor, by.reason],
  );
  const after = (await findAllocation(sql, pipeline, version))!;
  await audit(sql, by, {
    action: clamps === undefined ? 'allocation.set' : 'allocation.clamp',
    pipeline,
    before: { version, ...state(before) },
    after: { version, ...state(after), ...(observed !== undefined && { observed }) },
  });
  await notify(sql, ['autoflow_pools'], pipeline);
  return after;
}

/** Whoever sets it: people, the allocation agent, a rollout. */
function mustRespect(clamps: AllocationRow['clamps'], stages: AllocationRow['stages']): void {
  for (const [stage, wanted] of Object.entries(stages)) {
    const forbidden = outsideClamp(wanted, clamps[stage]);
    if (forbidden !== undefined) throw new OutsideClampError(stage, forbidden);
  }
}

const state = ({ revision, stages, clamps }: AllocationRow) => ({ revision, stages, ...(Object.keys(clamps).length > 0 && { clamps }) });

const findPipeline = (sql: Sql, name: string) => one<PipelineRow>(sql, `${PIPELINE} where p.name = $1`, [name]);
const findVersion = (sql: Sql, pipeline: string, name: string) =>
  one<VersionRow>(sql, `${VERSION} where pipeline = $1 and name = $2`, [pipeline, name]);
const findAllocation = (sql: Sql, pipeline: string, version: string) =>
  one<AllocationRow>(sql, `${ALLOCATION} where pipeline = $1 and version = $2`, [pipeline, version]);
