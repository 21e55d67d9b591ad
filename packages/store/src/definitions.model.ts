/** Pipelines, releases, versions, allocations. */
import type { PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Clamps, Envelope, Topology } from '@autoflow/topology';
import type { FunctionHashes } from './bundles.model.js';
import type { VersionStatusRow } from './rollouts.model.js';

export interface PipelineRow {
  readonly name: string;
  /** Release and version that new executions get; `revision` is the ETag of the stable pointer. */
  readonly stable: { readonly version: string; readonly release: string; readonly revision: number };
  readonly createdAt: Date;
}
export interface ReleaseRow {
  readonly pipeline: string;
  /** SHA-256 (hex) of wiring and bundle. */
  readonly hash: string;
  readonly spec: PipelineSpec;
  /** By node; undefined for a release that was registered without its code. Where the hash stays, so do the measurements of the function. */
  readonly functions?: FunctionHashes;
  readonly createdAt: Date;
}
export interface VersionRow {
  readonly pipeline: string;
  /** `v1`, `v2`, … counted per pipeline. */
  readonly name: string;
  /** SHA-256 of release, topology and envelope: registering the same again answers the same version. */
  readonly hash: string;
  readonly release: string;
  readonly topology: Topology;
  readonly envelope: Envelope;
  readonly parent?: string;
  readonly author: string;
  readonly note?: string;
  /** Of a version that an optimizer proposed. */
  readonly proposal?: VersionProposal;
  readonly createdAt: Date;
}
/** Why a version should be better: who found it, what it is predicted to do, and the proof that it is legal. */
export interface VersionProposal {
  readonly optimization: string;
  readonly proposer: string;
  readonly ratePerSecond: number;
  readonly predicted: object;
  readonly gain?: object;
  readonly certificate: object;
}
export interface AllocationRow {
  readonly pipeline: string;
  readonly version: string;
  readonly revision: number;
  readonly stages: Allocation;
  /** An operator's bounds inside the envelope; no allocation is set outside them. */
  readonly clamps: Clamps;
  readonly actor: string;
  readonly reason: string;
  readonly updatedAt: Date;
}
export interface Actor {
  readonly actor: string;
  readonly reason: string;
  readonly requestId?: string;
}

/** Shared by the control plane and the rollout and allocation activities (decision 12): compare-and-set with an audit row. */
export interface DefinitionStore {
  /** Creates the pipeline with its first release and version v1 as stable, or adds the release; idempotent. */
  registerRelease(request: {
    release: Omit<ReleaseRow, 'createdAt'>;
    topology: Topology;
    envelope: Envelope;
    allocation: Allocation;
    parent?: string;
    note?: string;
    by: Actor;
  }): Promise<{ version: VersionRow; created: boolean }>;
  pipelines(): Promise<PipelineRow[]>;
  pipeline(name: string): Promise<PipelineRow | undefined>;
  release(pipeline: string, hash: string): Promise<ReleaseRow | undefined>;
  releases(pipeline: string): Promise<ReleaseRow[]>;
  /** Empty for a release that was registered without its code, and for one that is not there. */
  functionHashes(pipeline: string, release: string): Promise<FunctionHashes>;
  registerVersion(request: {
    pipeline: string;
    hash: string;
    release: string;
    topology: Topology;
    envelope: Envelope;
    allocation: Allocation;
    parent?: string;
    note?: string;
    proposal?: VersionProposal;
    by: Actor;
  }): Promise<{ version: VersionRow; created: boolean }>;
  versions(pipeline: string): Promise<VersionRow[]>;
  version(pipeline: string, name: string): Promise<VersionRow | undefined>;
  /** Flips the stable pointer, after the batches that are being opened with the one before. `revision` undefined: no condition. Throws `StaleRevisionError` when somebody was faster. */
  setStable(request: { pipeline: string; version: string; revision?: number; by: Actor }): Promise<PipelineRow>;
  /** What it has been, oldest first. */
  statuses(pipeline: string, version: string): Promise<VersionStatusRow[]>;
  /** The version of a release that was stable last, or its newest if none was. */
  lastStableOf(pipeline: string, release: string): Promise<string | undefined>;
  allocation(pipeline: string, version: string): Promise<AllocationRow | undefined>;
  /**
   * Throws `OutsideClampError` where an operator's clamp forbids it. With `clamps`, these are set as well, in place of all that there were.
   * `observed` is what it was decided on: it goes into the audit row, beside what is set.
   */
  setAllocation(request: {
    pipeline: string;
    version: string;
    stages: Allocation;
    clamps?: Clamps;
    observed?: object;
    revision?: number;
    by: Actor;
  }): Promise<AllocationRow>;
}
