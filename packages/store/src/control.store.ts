/** The control of allocations: one holder per pipeline, its memory, and what it looks at. Every clock is the database's. */
import type { ClaimedControl, ControlStepRow, ControlStore, KnownServices } from './control.model.js';
import { measureInterval } from './control-interval.store.js';
import { knownMemory } from './control-memory.store.js';
import type { Database, Sql } from './database.js';
import { many, one } from './rows.js';

/** Steps that are kept of a pipeline. */
const KEPT = 500;

const STEP = 'select pipeline, at, version, tick, decided from autoflow.control_steps';

export function controlStore(database: Database): ControlStore {
  return {
    unattended: async () => (await database.query<{ name: string }>(UNATTENDED)).map(({ name }) => name),
    claim: ({ pipeline, holder, forMs }) => one<ClaimedControl>(database, CLAIM, [pipeline, holder, forMs]),
    steps: async (pipeline, version, limit) =>
      (
        await many<ControlStepRow>(database, `${STEP} where pipeline = $1 and version = $2 order by at desc limit $3`, [
          pipeline,
          version,
          limit,
        ])
      ).reverse(),
    latest: (pipeline, limit) => many<ControlStepRow>(database, `${STEP} where pipeline = $1 order by at desc limit $2`, [pipeline, limit]),
    keep: (request) => database.transaction((sql) => keep(sql, request)),
    release: async (pipeline, holder, state) =>
      void (await database.query(
        `update autoflow.controls set holder = null, held_until = clock_timestamp(), state = $3, updated_at = now() where pipeline = $1 and holder = $2`,
        [pipeline, holder, JSON.stringify(state)],
      )),
    get: (pipeline) =>
      one(
        database,
        `select state, updated_at as "updatedAt", holder is not null and held_until > clock_timestamp() as held from autoflow.controls where pipeline = $1`,
        [pipeline],
      ),
    measure: (request) => measureInterval(database, request),
    services: (pipeline, version) => services(database, pipeline, version),
    memory: (pipeline, version) => knownMemory(database, pipeline, version),
  };
}

const UNATTENDED = `
select p.name from autoflow.pipelines p left join autoflow.controls c on c.pipeline = p.name left join autoflow.pipeline_settings s on s.pipeline = p.name
 where coalesce(s.settings -> 'control' ->> 'mode', 'shadow') <> 'off' and (c.holder is null or c.held_until < clock_timestamp()) order by p.name`;

/** A holder that says nothing for longer than it claimed is gone. */
const CLAIM = `
insert into autoflow.controls (pipeline, holder, held_until) values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
on conflict (pipeline) do update set holder = excluded.holder, held_until = excluded.held_until
  where controls.holder is null or controls.holder = excluded.holder or controls.held_until < clock_timestamp()
returning state, clock_timestamp() as now`;

async function keep(sql: Sql, { pipeline, holder, forMs, state, step }: Parameters<ControlStore['keep']>[0]): Promise<boolean> {
  const held = await sql.query(
    `update autoflow.controls set state = $3, held_until = clock_timestamp() + $4 * interval '1 millisecond', updated_at = clock_timestamp()
      where pipeline = $1 and holder = $2 returning pipeline`,
    [pipeline, holder, JSON.stringify(state), forMs],
  );
  if (held.length === 0) return false;
  // Of a clock that has gone back since: it would be taken for the latest one until the clock is there again.
  await sql.query('delete from autoflow.control_steps where pipeline = $1 and at > clock_timestamp()', [pipeline]);
  if (step === undefined) return true;
  await sql.query(
    'insert into autoflow.control_steps (pipeline, at, version, tick, decided) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [pipeline, step.at, step.version, JSON.stringify(step.tick), JSON.stringify(step.decided)],
  );
  await sql.query(
    `delete from autoflow.control_steps where pipeline = $1
       and at < (select at from autoflow.control_steps where pipeline = $1 order by at desc offset $2 limit 1)`,
    [pipeline, KEPT],
  );
  return true;
}

/** Of the latest invocations: enough to tell, and read in a few milliseconds. */
const SERVICES = `
with latest as (
  select stage, duration_ms, cold, cold_start_ms from autoflow.invocations
   where pipeline = $1 and version = $2 and outcome = 'ok' order by started_at desc limit 2000)
select coalesce((select json_object_agg(stage, json_build_object('ms', ms, 'cv', cv)) from (
         select stage, avg(duration_ms) as ms, coalesce(stddev_samp(duration_ms) / nullif(avg(duration_ms), 0), 0) as cv from latest group by stage) s), '{}') as stages,
       (select avg(cold_start_ms) from latest where cold) as "coldStartMs"`;

async function services(database: Database, pipeline: string, version: string): Promise<KnownServices> {
  return (await one<KnownServices>(database, SERVICES, [pipeline, version]))!;
}
