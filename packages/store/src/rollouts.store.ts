import { hashTopology, type RolloutOutcome, type RolloutSettings, type Topology } from '@autoflow/topology';
import { BUCKETS, type ArmShare } from './arms.model.js';
import { findArms, moveArms } from './arms.store.js';
import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { moveStablePointer } from './definitions.store.js';
import { NotFoundError, NotRunningError, RolloutActiveError, RolloutRefusedError } from './errors.js';
import type { Actor } from './definitions.model.js';
import type { RolloutEvaluationRow, RolloutRow, RolloutStep, RolloutStore } from './rollouts.model.js';
import { many, one } from './rows.js';
import { moveStable } from './stable-lock.js';
import { nodesOf, takenBack } from './taken-back.js';
import { undoPromotion } from './undo-promotion.js';
import { recordStatus, statusesOf } from './version-status.js';

const ROLLOUT = `select id, pipeline, version, baseline, own, actor, reason, settings, state, paused, steps, held_ms as "heldMs", proved_at as "provedAt", holdout,
  shadow, judgement, harm, outcome, created_at as "createdAt", ended_at as "endedAt" from autoflow.rollouts`;

/** Every change waits for the pipeline's row: rollout, stable pointer and arms move one after another. */
export function rolloutStore(database: Database): RolloutStore {
  return {
    create: (row, by) => database.transaction((sql) => create(sql, row, by)),
    get: (id) => find(database, id),
    list: (pipeline, { limit, after }) =>
      many<RolloutRow>(
        database,
        `${ROLLOUT} where pipeline = $1 and ($3::text is null or (created_at, id) < (select created_at, id from autoflow.rollouts where id = $3))
          order by created_at desc, id desc limit $2`,
        [pipeline, limit, after],
      ),
    active: () => many<RolloutRow>(database, `${ROLLOUT} where ended_at is null order by created_at`, []),
    outdated: (pipeline, version) => outdated(database, pipeline, version),
    takenBack: (pipeline, release) => takenBack(database, pipeline, release),
    enter: (id, phase, by, shadow) =>
      change(database, id, by, async (sql, row) => {
        if (row.state === phase && shadow === undefined) return undefined;
        await sql.query('update autoflow.rollouts set state = $2, shadow = coalesce($3, shadow) where id = $1', [id, phase, json(shadow)]);
        if (phase === 'warming') await warm(sql, row, by);
        if (row.state !== phase && phase === 'shadow') await recordStatus(sql, row.pipeline, row.version, 'shadow', by);
        return { action: `rollout.${phase}`, ...(shadow && { shadow }) };
      }),
    step: (id, step, by) => change(database, id, by, (sql, row) => takeStep(sql, row, step, by)),
    evaluated: (id, evaluation) => database.transaction((sql) => evaluated(sql, id, evaluation)),
    evaluations: (id, limit) =>
      many<RolloutEvaluationRow>(
        database,
        `select number, at, percent, decision, reason, judgement from autoflow.rollout_evaluations where rollout = $1 order by number desc limit $2`,
        [id, limit],
      ),
    pause: (id, paused, by) =>
      change(database, id, by, async (sql, row) => {
        if (row.paused === paused) return undefined;
        await sql.query('update autoflow.rollouts set paused = $2 where id = $1', [id, paused]);
        return { action: paused ? 'rollout.pause' : 'rollout.resume' };
      }),
    end: ({ id, outcome, unlessPaused = false, by }) =>
      change(
        database,
        id,
        by,
        async (sql, row) => {
          if (unlessPaused && row.paused) return undefined;
          if (outcome === 'promoted') await promote(sql, row, by);
          else await takeBack(sql, row, outcome, by);
          await close(sql, row, outcome, by);
          return { action: `rollout.${outcome}` };
        },
        'ended is ended',
      ),
    undoPromotion: (request) =>
      database.transaction(async (sql) => {
        await undoPromotion(sql, request);
        return (await find(sql, request.id))!;
      }),
    charge: async (id, harm) => {
      await database.query('update autoflow.rollouts set harm = $2 where id = $1 and ended_at is not null and harm is null', [
        id,
        json(harm),
      ]);
    },
    explored: async (pipeline, since) => {
      const [row] = await database.query<{ usd: number }>(
        `select coalesce(sum(greatest(0, (harm ->> 'extraUsd')::float8)), 0) as usd from autoflow.rollouts
          where pipeline = $1 and own and ended_at >= $2`,
        [pipeline, since],
      );
      return row!.usd;
    },
    removeEvaluations: async (before) => {
      await database.patient.query(
        'delete from autoflow.rollout_evaluations e using autoflow.rollouts r where r.id = e.rollout and r.ended_at < $1',
        [before],
      );
      for (const table of ['closed_blocks', 'closed_steps'])
        await database.patient.query(
          `delete from autoflow.${table} c using autoflow.rollouts r where r.id = c.rollout and r.ended_at < clock_timestamp() - interval '1 hour'`,
        );
    },
    uncharged: () =>
      many<RolloutRow>(
        database,
        `${ROLLOUT} where ended_at > now() - interval '7 days' and harm is null and json_array_length(steps) > 0 order by ended_at`,
        [],
      ),
  };
}

async function create(sql: Sql, row: Parameters<RolloutStore['create']>[0], by: Actor): Promise<RolloutRow> {
  const { id, pipeline, version, own, settings } = row;
  await lock(sql, pipeline);
  const there = await find(sql, id);
  if (there !== undefined) return there;
  const [wanted] = await sql.query<{ stable: string; release: string; inForce: string; topology: Topology }>(
    `select p.stable_version as stable, v.release, v.topology, s.release as "inForce"
       from autoflow.pipelines p join autoflow.versions v on v.pipeline = p.name
       join autoflow.versions s on s.pipeline = p.name and s.name = p.stable_version where p.name = $1 and v.name = $2`,
    [pipeline, version],
  );
  if (wanted === undefined) throw new NotFoundError('version', `${pipeline} ${version}`);
  if (wanted.stable === version) throw new RolloutRefusedError(version, 'it is the stable version already. Choose another one');
  const gone = await outdated(sql, pipeline, version);
  if (gone !== undefined) throw new RolloutRefusedError(version, gone);
  if (own && wanted.release !== wanted.inForce)
    throw new RolloutRefusedError(
      version,
      `it is of release ${short(wanted.release)}, and ${short(wanted.inForce)} is in force: AutoFlow changes no code. People may roll it out`,
    );
  const hash = hashTopology(wanted.topology);
  const before = own ? (await takenBack(sql, pipeline, wanted.release)).find(({ topology }) => hashTopology(topology) === hash) : undefined;
  if (before !== undefined) {
    const what = before.version === version ? 'it' : `its topology, as ${before.version},`;
    throw new RolloutRefusedError(
      version,
      `${before.rollout} took ${what} back (${before.outcome}). Whoever knows better may roll it out by hand`,
    );
  }
  const [active] = await sql.query<{ id: string }>('select id from autoflow.rollouts where pipeline = $1 and ended_at is null', [pipeline]);
  if (active !== undefined) throw new RolloutActiveError(pipeline, active.id);
  await sql.query(
    `insert into autoflow.rollouts (id, pipeline, version, baseline, own, actor, reason, settings) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, pipeline, version, wanted.stable, own, by.actor, by.reason, json(settings)],
  );
  await audit(sql, by, { action: 'rollout.start', pipeline, after: { rollout: id, version, baseline: wanted.stable, settings } });
  return (await find(sql, id))!;
}

/** Hosts keep pools for the version of an arm, whatever its share. */
async function warm(sql: Sql, { pipeline, version }: RolloutRow, by: Actor): Promise<void> {
  const { holdout } = (await findArms(sql, pipeline))!;
  await moveArms(sql, { pipeline, candidate: { version, share: 0 }, ...(holdout && { holdout }), by });
}

/**
 * Why it may get no traffic any more, in whatever release it is: its function was removed from the code. That is the newest release, but for those that
 * had their time and were gone back from, unless it is of one of them.
 */
async function outdated(sql: Sql, pipeline: string, version: string): Promise<string | undefined> {
  const [found] = await sql.query<{ topology: Topology; nodes: readonly { readonly id: string }[] }>(
    `select v.topology,
            (select r.spec -> 'nodes' from autoflow.releases r
              where r.pipeline = v.pipeline
                and (r.hash in (s.release, v.release) or not exists (
                  select from autoflow.version_statuses b join autoflow.versions w on w.pipeline = b.pipeline and w.name = b.version
                   where b.pipeline = r.pipeline and b.status = 'stable' and w.release = r.hash))
              order by r.created_at desc, r.hash limit 1) as nodes
       from autoflow.versions v join autoflow.pipelines p on p.name = v.pipeline
       join autoflow.versions s on s.pipeline = p.name and s.name = p.stable_version where v.pipeline = $1 and v.name = $2`,
    [pipeline, version],
  );
  const there = new Set(found?.nodes.map((node) => node.id));
  const gone = found === undefined ? [] : nodesOf(found.topology).filter((node) => !there.has(node));
  if (gone.length === 0) return undefined;
  return `the newest release has no ${gone.join(' and no ')} any more. Register its topology for that release`;
}

/** What `work` answers goes into the audit row; undefined: nothing has changed. A rollout that has ended is not changed. */
async function change(
  database: Database,
  id: string,
  by: Actor,
  work: (sql: Sql, row: RolloutRow) => Promise<{ readonly action: string; readonly [detail: string]: unknown } | undefined>,
  afterwards?: 'ended is ended',
): Promise<RolloutRow> {
  return database.transaction(async (sql) => {
    const unlocked = await find(sql, id);
    if (unlocked === undefined) throw new NotFoundError('rollout', id);
    await moveStable(sql, unlocked.pipeline);
    await lock(sql, unlocked.pipeline);
    const row = (await find(sql, id))!;
    if (row.endedAt !== undefined) {
      if (afterwards !== undefined || row.state === 'superseded') return row;
      throw new NotRunningError(id, row.state, 'rollout');
    }
    const done = await work(sql, row);
    if (done === undefined) return row;
    const { action, ...details } = done;
    await audit(sql, by, { action, pipeline: row.pipeline, after: { rollout: id, version: row.version, ...details } });
    return (await find(sql, id))!;
  });
}

async function takeStep(sql: Sql, row: RolloutRow, step: number, by: Actor) {
  const { id, pipeline, version, baseline, settings } = row;
  if (row.steps.length === step + 1 || row.paused) return undefined;
  const percent = settings.steps[step];
  if (percent === undefined || row.steps.length !== step)
    throw new NotRunningError(id, `at step ${row.steps.length} of ${settings.steps.length}`, 'rollout');
  const before = (await findArms(sql, pipeline))!;
  const holdout = row.steps.length === 0 ? before.holdout : row.holdout;
  const arms = armsOf(settings, percent, version, baseline);
  await moveArms(sql, { pipeline, ...arms, by });
  const [clock] = await sql.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as now', []);
  const steps: RolloutStep[] = [
    ...row.steps.map((one) => (one.to === undefined ? { ...one, to: clock!.now } : one)),
    { percent, from: clock!.now, ...(arms.control.version === version && { sliced: true as const }) },
  ];
  await sql.query(`update autoflow.rollouts set state = 'canary', steps = $2, holdout = $3 where id = $1`, [
    id,
    json(steps),
    json(holdout),
  ]);
  if (step === 0) await recordStatus(sql, pipeline, version, 'canary', by);
  return { action: 'rollout.step', percent };
}

/**
 * Up to half of what the holdout leaves, the candidate has a control group of its own size. Above, it is compared with the holdout, by a slice of that
 * size: batches of all that it has would be fuller, on whatever version.
 */
function armsOf({ holdoutPercent }: RolloutSettings, percent: number, version: string, baseline: string) {
  const holdout = Math.round((BUCKETS * holdoutPercent) / 100);
  const given = Math.floor(((BUCKETS - holdout) * percent) / 100);
  const slice = percent > 50 && given >= holdout ? holdout : 0;
  return {
    candidate: { version, share: given - slice },
    control: slice > 0 ? { version, share: slice } : { version: baseline, share: percent <= 50 ? given : 0 },
    ...(holdout > 0 && { holdout: { version: baseline, share: holdout } }),
  };
}

async function promote(sql: Sql, { pipeline, version, baseline, settings }: RolloutRow, by: Actor): Promise<void> {
  await moveStablePointer(sql, { pipeline, version, by });
  const share = Math.round((BUCKETS * settings.holdoutPercent) / 100);
  // A holdout ends with its release: what another code saves is no saving of a topology.
  const releases = await sql.query('select distinct release from autoflow.versions where pipeline = $1 and name = any ($2)', [
    pipeline,
    [version, baseline],
  ]);
  const holdout: ArmShare | undefined = share > 0 && releases.length === 1 ? { version: baseline, share } : undefined;
  await moveArms(sql, { pipeline, ...(holdout && { holdout }), by });
}

/** A rollout whose version is no candidate has moved nothing. One that never came to its canary may have warmed its pools for it, whatever it does now. */
async function takeBack(
  sql: Sql,
  { pipeline, version, steps, holdout }: RolloutRow,
  outcome: Exclude<RolloutOutcome, 'promoted'>,
  by: Actor,
): Promise<void> {
  const before = await findArms(sql, pipeline);
  if (steps.length > 0 || before?.candidate?.version === version) {
    const kept = steps.length > 0 ? holdout : before?.holdout;
    await moveArms(sql, { pipeline, ...(kept && { holdout: kept }), by });
  }
  if (outcome === 'rolled-back' || steps.length > 0) return recordStatus(sql, pipeline, version, 'rolled-back', by);
  // Nothing was found against it, and it had no traffic: it is what it was before its shadow.
  const statuses = (await statusesOf(sql, pipeline, version)).map(({ status }) => status);
  const was = statuses.findLast((status) => status !== 'shadow');
  if (was !== undefined && statuses.at(-1) === 'shadow') await recordStatus(sql, pipeline, version, was, by);
}

async function close(sql: Sql, { id, steps }: RolloutRow, state: RolloutRow['state'], by: Actor): Promise<void> {
  await sql.query(
    `update autoflow.rollouts set state = $2, outcome = $3, paused = false, steps = $4, ended_at = clock_timestamp() where id = $1`,
    [id, state, by.reason, json(steps.map((step) => (step.to === undefined ? { ...step, to: Date.now() } : step)))],
  );
}

/**
 * Proved it is from the first `await-approval` to the next evaluation that finds otherwise. One in which it was held does not say so, and what it was
 * held for is added. Nor does an `abort`, which is decided again where the first was not heard of.
 */
async function evaluated(sql: Sql, id: string, { percent, decision, reason, judgement, held }: Parameters<RolloutStore['evaluated']>[1]) {
  await sql.query('select from autoflow.rollouts where id = $1 for update', [id]);
  await sql.query(
    `insert into autoflow.rollout_evaluations (rollout, number, percent, decision, reason, judgement)
     select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 from autoflow.rollout_evaluations where rollout = $1`,
    [id, percent, decision, reason, json(judgement)],
  );
  await sql.query(
    `update autoflow.rollouts r set judgement = $2, evaluated_at = looked.at, held = $3,
       proved_at = case when $4 = 'await-approval' then coalesce(proved_at, looked.at) when $3 or $4 = 'abort' then proved_at + looked.held end,
       held_ms = held_ms + extract(epoch from looked.held)::float8 * 1000
       from (select now.at, case when held and $3 then now.at - evaluated_at else interval '0' end as held
               from autoflow.rollouts, (select clock_timestamp() as at) now where id = $1) looked
      where r.id = $1`,
    [id, json(judgement), held, decision],
  );
}

async function lock(sql: Sql, pipeline: string): Promise<void> {
  await sql.query('select from autoflow.pipelines where name = $1 for update', [pipeline]);
}

const short = (hash: string): string => hash.slice(0, 7);
const find = (sql: Sql, id: string) => one<RolloutRow>(sql, `${ROLLOUT} where id = $1`, [id]);
const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
