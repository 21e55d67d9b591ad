/** Which version a start gets, and what its execution must know of it. */
import type { ExecutionArgument, BatchRef, StagePlan } from '@autoflow/topology';
import { stagePlans } from '@autoflow/topology';
import type { BatchRow, ReleaseRow, Store, VersionRow } from '@autoflow/store';
import { refuse } from './errors.js';

export interface ResolvedVersion {
  readonly version: VersionRow;
  readonly release: ReleaseRow;
  readonly plans: { readonly [stage: string]: StagePlan };
}

export interface Versions {
  /** The stable version of this moment, or the one named. The pointer and the allocation are read each time, the rest is immutable and cached. */
  resolve(pipeline: string, version?: string): Promise<ResolvedVersion>;
}

export function versionsOf(store: Pick<Store, 'definitions'>): Versions {
  const versions = new Map<string, VersionRow>();
  const releases = new Map<string, ReleaseRow>();
  const { definitions } = store;

  const versionOf = (pipeline: string, name: string) =>
    cached(
      versions,
      `${pipeline}/${name}`,
      async () => (await definitions.version(pipeline, name)) ?? unknown(`pipeline '${pipeline}' has no version '${name}'`),
    );
  const releaseOf = (pipeline: string, hash: string) =>
    cached(
      releases,
      `${pipeline}/${hash}`,
      async () => (await definitions.release(pipeline, hash)) ?? unknown(`pipeline '${pipeline}' has no release '${hash}'`),
    );

  return {
    async resolve(pipeline, named) {
      const name =
        named ??
        (await definitions.pipeline(pipeline))?.stable.version ??
        unknown(`there is no pipeline '${pipeline}'; deploy it first (autoflow deploy)`);
      const [version, allocation] = await Promise.all([versionOf(pipeline, name), definitions.allocation(pipeline, name)]);
      const release = await releaseOf(pipeline, version.release);
      const plans = stagePlans(
        release.spec,
        version.topology,
        version.envelope,
        allocation?.stages ?? unknown(`version '${name}' of '${pipeline}' has no allocation`),
      );
      return { version, release, plans };
    },
  };
}

/** Immutable rows only. Bounded: a worker that has seen more starts anew. */
async function cached<T>(cache: Map<string, T>, key: string, read: () => Promise<T>): Promise<T> {
  const found = cache.get(key) ?? (await read());
  if (cache.size >= 1000) cache.clear();
  cache.set(key, found);
  return found;
}

function unknown(message: string): never {
  throw refuse('UNKNOWN_PIPELINE', message);
}

/** The memory classes with which an execution starts; larger ones are added when it comes to need them. */
export function startingMemory(plans: ResolvedVersion['plans']): BatchRow['memoryMb'] {
  return Object.fromEntries(Object.entries(plans).map(([stage, plan]) => [stage, plan.memoryMb.slice(0, 1)]));
}

/** Of each stage the size with which it starts, then those to go to when memory runs out. */
export function memoryOf(plans: ResolvedVersion['plans']): { readonly [stage: string]: readonly number[] } {
  return Object.fromEntries(Object.entries(plans).map(([stage, { memoryMb }]) => [stage, memoryMb]));
}

export function executionArgument({ version, plans }: ResolvedVersion, scope: string, batchId: string, batch: BatchRef): ExecutionArgument {
  return {
    $autoflow: 'execution/1',
    pipeline: version.pipeline,
    version: version.name,
    release: version.release,
    scope,
    batchId,
    batch,
    topology: version.topology,
    stages: plans,
  };
}
