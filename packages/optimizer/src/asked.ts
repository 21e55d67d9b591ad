import type { StartingAllocation } from './allocators/starting.js';
import type { Fitted, MeasuredPipeline } from './fitted-pipeline.js';
import type { MeasuredStretch, Retrained } from './measured-history.js';
import type { Budget, Plan, Problem } from './problem.js';
import type { Finished, Progress, Proposed } from './propose.js';

/** What a learned scorer says of a plan that it has put forward. */
export interface ScoredTopology {
  readonly topology: Plan['topology'];
  readonly allocation: Plan['allocation'];
  /** S(G): the probability that it beats what runs. */
  readonly probability: number;
  readonly predicted: { readonly costPer1000: number; readonly p95Ms: number; readonly throughput: number };
  /** Stages by what they add to the score. */
  readonly why: readonly object[];
}

/** What the process in which tensors and search do their work is asked, and what it answers (`@autoflow/learning/optimizer`). Plain data. */
export type OptimizerProtocol = {
  readonly fit: {
    readonly request: { readonly kind: 'fit'; readonly measured: MeasuredPipeline };
    readonly answer: { readonly fitted: Fitted };
  };
  readonly propose: {
    readonly request: {
      readonly kind: 'propose';
      readonly problem: Problem;
      /** Of all together, less what those that have finished took of time and computing. */
      readonly budget: Budget;
      /** What a process before this one has told of its progress. */
      readonly finished?: readonly Finished[];
      readonly proposers: readonly string[];
      /** File of the learned scorer of this pipeline; default: the one that comes with AutoFlow. */
      readonly scorer?: string;
    };
    readonly answer: { readonly proposed: Proposed; readonly scored: readonly ScoredTopology[] };
  };
  readonly retrain: {
    /** `scorer`: the one that is used now; default: the one that comes with AutoFlow. `learnedFrom`: versions that it has seen; default: none. */
    readonly request: {
      readonly kind: 'retrain';
      readonly measured: Pick<MeasuredPipeline, 'spec' | 'rows' | 'host'>;
      readonly stretches: readonly MeasuredStretch[];
      readonly seed: number;
      readonly scorer?: string;
      readonly learnedFrom?: readonly string[];
    };
    readonly answer: { readonly retrained: Retrained };
  };
  readonly allocate: {
    /** `policy`: weights that were trained for this; the policy that comes with AutoFlow competes as well. */
    readonly request: { readonly kind: 'allocate'; readonly problem: Problem; readonly plan: Plan; readonly policy?: Float32Array };
    readonly answer: { readonly starting: StartingAllocation };
  };
};

/** With every answer: milliseconds that the process has computed since it was started. */
export interface Computed {
  readonly cpuMs: number;
}

/** Told while it proposes: who searches, how many have, and what the last of them has come to. */
export interface SearchProgress extends Progress {
  readonly kind: 'progress';
}
