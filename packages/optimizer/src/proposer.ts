import type { Account, Evaluation } from './evaluator.js';
import type { Problem } from './problem.js';
import type { PlanSpace } from './space/plan-space.js';

/** What a proposer works with. All work on the same space and the same twin, each with an equal budget. */
export interface Search {
  readonly problem: Problem;
  readonly space: PlanSpace;
  /** The only way to the twin: it counts. Rejects when the search is aborted. */
  readonly account: Account;
  /** Uniform in [0, 1); the same series for the same seed. */
  readonly random: () => number;
}

/** Ranks plans: the port that search and learned scorers have in common. Deterministic by seed where the evaluations, and not the time, end it. */
export interface Proposer {
  readonly name: string;
  propose(search: Search): Promise<Proposal>;
}

export interface Proposal {
  /** The best first, each as the twin judges it. */
  readonly ranked: readonly Evaluation[];
  /** Present where every plan of a space was looked at. */
  readonly exact?: ExactSpace;
  /** What the proposer could not do, in words. */
  readonly note?: string;
}

export interface ExactSpace {
  readonly plans: number;
  /** `twin`: the best of `ranked` is the optimum. `formula`: the optimum by formula is among those that the twin was asked about. */
  readonly by: 'twin' | 'formula';
}
