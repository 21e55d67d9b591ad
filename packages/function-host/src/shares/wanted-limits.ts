import type { DesiredPool } from '@autoflow/store';
import type { Deal } from '@autoflow/topology';

/** Of a gate, fleet-wide. */
export interface WantedLimit {
  readonly limit: number;
  readonly deal?: Deal;
}

type Gated = Pick<DesiredPool, 'pipeline' | 'version' | 'stage' | 'resources'>;

/** The gates that an invocation of the stage enters, in the order in which everybody enters them: its own first, resources by name. */
export function gateKeysOf({ pipeline, version, stage, resources }: Gated): string[] {
  const names = resources.map(({ name }) => name).sort();
  return [`${pipeline}/${version}/${stage}`, ...names.map((name) => resourceKey(pipeline, name))];
}

/**
 * What all gates of these pools allow in the fleet, by key. Stages have their concurrency; a resource, of whichever version, the least that a release
 * allows. The stages of a version never ask for more of a resource than it allows, but versions beside each other may.
 *
 * All that touches limited resources is dealt to the hosts of a pipeline in one order: resources from the first host on, the stages of a version that
 * use the same single one, one after the other. So every host may use as much of the resource as the stages of one version have there, and no stage
 * falls to hosts alone that may not use its resource, be there more hosts than the limit or not.
 */
export function wantedLimits(pools: readonly (Gated & Pick<DesiredPool, 'concurrency'>)[]): Map<string, WantedLimit> {
  const limits = new Map<string, WantedLimit>();
  for (const { pipeline, resources } of pools)
    for (const { name, concurrency } of resources) {
      const key = resourceKey(pipeline, name);
      limits.set(key, { limit: Math.min(limits.get(key)?.limit ?? Infinity, Math.floor(concurrency)), deal: { order: pipeline, from: 0 } });
    }
  /** Of each resource in each version. */
  const dealt = new Map<string, number>();
  for (const [stage, pool] of byStage(pools)) {
    const { pipeline, version, resources, concurrency } = pool;
    const [only, ...more] = resources;
    if (only === undefined) limits.set(stage, { limit: concurrency });
    else if (more.length > 0) limits.set(stage, { limit: concurrency, deal: { order: pipeline, from: 0 } });
    else {
      const resource = resourceKey(pipeline, only.name);
      const before = dealt.get(`${version} ${resource}`) ?? 0;
      dealt.set(`${version} ${resource}`, before + concurrency);
      limits.set(stage, { limit: concurrency, deal: { order: pipeline, from: before % limits.get(resource)!.limit } });
    }
  }
  return limits;
}

/** Pools of one stage, of different memory, have one gate. */
function byStage<Pool extends Gated & Pick<DesiredPool, 'concurrency'>>(pools: readonly Pool[]): Map<string, Pool> {
  const stages = new Map<string, Pool>();
  for (const pool of pools) {
    const [key] = gateKeysOf(pool) as [string];
    const { concurrency = 1 } = stages.get(key) ?? {};
    stages.set(key, { ...pool, concurrency: Math.max(concurrency, pool.concurrency) });
  }
  return stages;
}

const resourceKey = (pipeline: string, name: string): string => `${pipeline}/${name}`;
