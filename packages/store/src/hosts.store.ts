import type { PipelineSpec } from '@autoflow/pipeline';
import { limitedResources, type LimitedResource, type Topology } from '@autoflow/topology';
import type { Database } from './database.js';
import type { DesiredPool, HostStore } from './hosts.model.js';
import { many } from './rows.js';

type Acknowledged = Awaited<ReturnType<HostStore['acknowledged']>>[number];

/**
 * Wanted: the stages of every version that an arm names (stable, candidate, holdout) at their allocated memory, and every memory class that an open batch names. Where both name a pool
 * it is one pool. Concurrency is that of the stage's allocation in either case.
 */
const DESIRED = `
with wanted as (
  select p.name as pipeline, a.version, s.stage, (s.settings ->> 'memoryMb')::int as memory_mb
    from autoflow.pipelines p
    join autoflow.allocations a on a.pipeline = p.name and a.version in (p.stable_version, p.candidate_version, p.holdout_version)
    cross join jsonb_each(a.stages) s (stage, settings)
  union
  select b.pipeline, b.version, s.stage, m.memory::int
    from (select distinct pipeline, version, memory_mb from autoflow.batches where state = 'open') b
    cross join jsonb_each(b.memory_mb) s (stage, sizes)
    cross join jsonb_array_elements_text(s.sizes) m (memory))
select w.pipeline, w.version, v.release, w.stage, w.memory_mb as "memoryMb", coalesce((a.stages -> w.stage ->> 'concurrency')::int, 1) as concurrency
  from wanted w
  join autoflow.versions v on v.pipeline = w.pipeline and v.name = w.version
  join autoflow.allocations a on a.pipeline = w.pipeline and a.version = w.version
 order by 1, v.number, 4, 5`;

type WantedPool = Omit<DesiredPool, 'resources'>;

/** Of versions by pipeline and name. */
const DEFINED = `
select v.pipeline, v.name as version, v.topology, r.spec
  from unnest($1::text[], $2::text[]) w (pipeline, version)
  join autoflow.versions v on v.pipeline = w.pipeline and v.name = w.version
  join autoflow.releases r on r.pipeline = v.pipeline and r.hash = v.release`;

export function hostStore(database: Database): HostStore {
  // What a version is made of never changes: it is read once.
  let known: ReadonlyMap<string, LimitedResource[]> = new Map();
  return {
    desiredPools: async () => {
      const pools = await database.query<WantedPool>(DESIRED);
      known = await resourcesOf(database, pools, known);
      return pools.map((pool) => {
        const used = known.get(versionKey(pool))?.filter(({ users }) => users.includes(pool.stage)) ?? [];
        return { ...pool, resources: used.map(({ name, concurrency }) => ({ name, concurrency })) };
      });
    },
    acknowledge: (host, pools) => acknowledge(database, host, pools),
    acknowledged: (pipeline) =>
      many<Acknowledged>(
        database,
        `select host, version, stage, memory_mb as "memoryMb", concurrency, instances, at
           from autoflow.acknowledgements where pipeline = $1 order by host, version, stage, memory_mb`,
        [pipeline],
      ),
  };
}

const versionKey = ({ pipeline, version }: Pick<WantedPool, 'pipeline' | 'version'>): string => `${pipeline}/${version}`;

/** The limited resources of every version that one of the pools is of. */
async function resourcesOf(
  database: Database,
  pools: readonly WantedPool[],
  known: ReadonlyMap<string, LimitedResource[]>,
): Promise<ReadonlyMap<string, LimitedResource[]>> {
  const wanted = new Map(pools.map((pool) => [versionKey(pool), pool]));
  const unread = [...wanted].filter(([key]) => !known.has(key)).map(([, pool]) => pool);
  const read =
    unread.length === 0
      ? []
      : await database.query<{ pipeline: string; version: string; topology: Topology; spec: PipelineSpec }>(DEFINED, [
          unread.map(({ pipeline }) => pipeline),
          unread.map(({ version }) => version),
        ]);
  return new Map([
    ...[...known].filter(([key]) => wanted.has(key)),
    ...read.map((row) => [versionKey(row), limitedResources(row.spec, row.topology)] as const),
  ]);
}

/** What a host says replaces all that it had said before. */
async function acknowledge(database: Database, host: string, pools: Parameters<HostStore['acknowledge']>[1]): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query('delete from autoflow.acknowledgements where host = $1', [host]);
    await sql.query(
      `insert into autoflow.acknowledgements (host, pipeline, version, stage, memory_mb, concurrency, instances, allocation_revision)
       select $1, pipeline, version, stage, "memoryMb", concurrency, instances, "allocationRevision"
         from json_to_recordset($2) p (pipeline text, version text, stage text, "memoryMb" int, concurrency int, instances int, "allocationRevision" int)
       on conflict (pipeline, version, stage, memory_mb, host) do update
         set concurrency = excluded.concurrency, instances = excluded.instances, allocation_revision = excluded.allocation_revision, at = now()`,
      [host, JSON.stringify(pools)],
    );
  });
}
