import type { PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Envelope, Topology } from '@autoflow/topology';
import type { Step } from '@autoflow/topology/rewrites';
import type { FunctionModels, HostModel, LoadShape } from '@autoflow/twin';

/** What is asked of every proposer alike. Plain JSON, so that it can be handed to a thread. */
export interface Problem {
  readonly spec: PipelineSpec;
  /** What runs now: the stable version. Stages that keep their name keep the bounds of `envelope`. */
  readonly start: { readonly topology: Topology; readonly allocation: Allocation; readonly envelope?: Envelope };
  readonly models: FunctionModels;
  readonly host: HostModel;
  /** Of an input record. */
  readonly recordBytes: number;
  readonly ratePerSecond: number;
  /** Of the load, also of what an arm of a rollout gets of it. Default: it is steady. */
  readonly shape?: LoadShape;
  /** Of the batches of a version of single records, those that are probes: see `probeShareOf`. Default: none. */
  readonly probeShare?: number;
  readonly objective: Objective;
  /** Default: nothing is asked of a rollout. */
  readonly rollout?: Guardrail;
  /** Memory sizes (MB, ascending) that stages may have, and the most instances of one. */
  readonly limits: { readonly memoryMb: readonly number[]; readonly instances: number };
  readonly space?: SpaceOptions;
  /** Topologies (`hashTopology`) that are not proposed, however good the twin finds them: rollouts have taken them back. Default: none. */
  readonly excluded?: readonly string[];
  readonly seed: number;
}

/** What shall be least, while the latency keeps its limit and the plan carries the load. Milliseconds. */
export interface Objective {
  readonly minimise: 'cost' | 'latency';
  readonly p95Ms?: number;
  readonly p99Ms?: number;
}

/**
 * What a rollout will hold a plan to: with the load of the arm of a canary, which is far less than what the plan is made for, its p95 is at most so many
 * times that of what runs. A batch that fills at once under a full load lingers there.
 */
export interface Guardrail {
  /** Records per second of one arm. */
  readonly ratePerSecond: number;
  readonly p95: number;
}

export interface SpaceOptions {
  /** Kinds of rewrites that the search may take; default: all that change what the twin predicts. */
  readonly rewrites?: readonly Step['rewrite'][];
  /** Default: see `batchingsFor`. */
  readonly batchings?: readonly Batching[];
}
export interface Batching {
  readonly records: number;
  readonly lingerMs: number;
}

/** Of one proposer: twin evaluations of plans that it has not asked about before, wall clock, and what it may compute (default: as much as it takes). */
export interface Budget {
  readonly evaluations: number;
  readonly ms: number;
  readonly cpuMs?: number;
}

/** A topology with the allocation it shall start with, and the legal steps that lead to it from the start. */
export interface Plan {
  readonly topology: Topology;
  readonly allocation: Allocation;
  readonly steps: readonly Step[];
}
