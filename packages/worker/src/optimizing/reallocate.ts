import type { Actor } from '@autoflow/store';
import type { Allocation } from '@autoflow/topology';
import { mayAct } from '@autoflow/topology/autonomy';
import { goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';

/**
 * Memory and instances alone make no version: they become the allocation of the one that was to be bettered, where AutoFlow may set it by itself and no
 * clamp forbids it; else what people would set is said.
 */
export async function reallocate(ports: OptimizingPorts, { row }: Job, allocation: Allocation, by: Actor): Promise<Outcome> {
  const { pipeline } = row;
  const version = row.version!;
  const wanted = `${version} keeps its topology; only its allocation would change: ${said(allocation)}.`;
  const verdict = mayAct((await ports.store.settings.get(pipeline))!, new Date(), { kind: 'allocate' });
  if (!verdict.allowed)
    return { decision: stop('NOT_ALLOWED', `${wanted} It waits for a person to set it (autoflow allocation set). ${verdict.reason}`) };
  const refused = await set(ports, pipeline, version, allocation, by);
  if (refused !== undefined) return { decision: stop('NOT_ALLOWED', `${wanted} It was not set: ${refused}`) };
  return { decision: stop('ALLOCATED', `${version} keeps its topology; its allocation was set: ${said(allocation)}.`) };
}

/** A version that is there already starts with what was found for it now, unless it has traffic, of which nobody has decided. */
export async function startWith(
  ports: OptimizingPorts,
  pipeline: string,
  version: string,
  allocation: Allocation,
  by: Actor,
): Promise<Outcome> {
  const there = `It is ${version}, which is there already`;
  const { stable, candidate, holdout } = (await ports.store.arms.arms(pipeline))!;
  const hasTraffic = [stable.version, candidate?.version, holdout?.version].includes(version);
  const refused = hasTraffic ? 'it has traffic.' : await set(ports, pipeline, version, allocation, by);
  if (refused === undefined) return { set: { registered: version }, decision: goOn(`${there}; its allocation was set to what was found.`) };
  return { set: { registered: version }, decision: goOn(`${there}, and its allocation stays (${said(allocation)} was found): ${refused}`) };
}

/** Compare-and-set; why it was refused. */
async function set(
  { store: { definitions } }: OptimizingPorts,
  pipeline: string,
  version: string,
  stages: Allocation,
  by: Actor,
): Promise<string | undefined> {
  const { revision } = (await definitions.allocation(pipeline, version))!;
  try {
    await definitions.setAllocation({ pipeline, version, stages, revision, by });
    return undefined;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== 'STALE_REVISION' && code !== 'OUTSIDE_CLAMP') throw error;
    return message;
  }
}

const said = (allocation: Allocation): string =>
  Object.entries(allocation)
    .map(([stage, { memoryMb, concurrency }]) => `${stage} ${concurrency} × ${memoryMb} MB`)
    .join(', ');
