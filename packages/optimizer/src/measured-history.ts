import type { PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Topology } from '@autoflow/topology';
import type { FunctionModels, HostModel } from '@autoflow/twin';

/** What a version did in a stretch of time in which its allocation did not change. */
export interface MeasuredStretch {
  readonly version: string;
  readonly topology: Topology;
  readonly allocation: Allocation;
  /** Records per second that it was given. */
  readonly ratePerSecond: number;
  readonly costPer1000: number;
  readonly p95Ms: number;
  /** Records with an outcome, per second. */
  readonly throughput: number;
}

/** A pipeline's own history, with the models that its functions have by now: what a scorer learns from beside made-up pipelines. */
export interface MeasuredHistory {
  readonly spec: PipelineSpec;
  readonly models: FunctionModels;
  readonly host: HostModel;
  /** Of an input record. */
  readonly recordBytes: number;
  readonly stretches: readonly MeasuredStretch[];
}

/** How far a scorer is from what was measured on versions that it has not learned from: mean of |ln predicted − ln measured|. */
export interface ScorerError {
  readonly cost: number;
  readonly p95: number;
  readonly throughput: number;
  /** The mean of the three: what scorers are compared by. */
  readonly all: number;
}

/** What came of a retraining. */
export type Retrained =
  | { readonly refused: 'TOO_FEW_VERSIONS' | 'CONTRADICTORY' | 'NOT_IDENTIFIABLE'; readonly reason: string }
  | {
      /** The file of the retrained scorer, whether or not it is better. */
      readonly model: string;
      readonly dataHash: string;
      readonly seed: number;
      /** Versions that it, or what it went on from, has learned from: nothing can be judged on them any more. */
      readonly learnedFrom: readonly string[];
      /** On the versions that were held out, two at least. */
      readonly heldOut: { readonly versions: readonly string[]; readonly current: ScorerError; readonly retrained: ScorerError };
      readonly metrics: { readonly [name: string]: number };
      /** It is nearer to what was measured on the held-out versions. */
      readonly better: boolean;
      readonly stretches: { readonly used: number; readonly leftOut: number };
    };
