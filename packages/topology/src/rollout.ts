/** What the workflow of a rollout, its activities and whoever starts it say to each other. */
import type { ShadowReport } from './replay.js';

export interface RolloutSettings {
  /**
   * Percent of the traffic outside the holdout, ascending. Up to 50 the candidate has a control group of its own size; above, a slice of it as large as
   * the holdout is compared with that. A control group's batches fill by themselves; its pools are those of the version it runs, warm or busy as they are.
   */
  readonly steps: readonly number[];
  /** Percent of all traffic that stays on the version before, after a promotion too. */
  readonly holdoutPercent: number;
  /** Between two evaluations. */
  readonly periodMs: number;
  /** One observation: what either arm did in so long. */
  readonly blockMs: number;
  /** What arrives so long after a change of shares is not compared; its cost is charged. */
  readonly warmupMs: number;
  /** Of the canary, without the time in which it was paused or frozen; then it is aborted as not decided. */
  readonly maximumMs: number;
  readonly metric: 'cost' | 'latency';
  /** Of all that a rollout tests together. */
  readonly alpha: number;
  readonly minimumRecords: number;
  readonly minimumBlocks: number;
  readonly margins: Margins;
  /** Recorded records to replay before; 0 skips the shadow. */
  readonly shadowRecords: number;
}

/** What a candidate may be worse by. */
export interface Margins {
  /** Share of records: 0.005 is half a point. */
  readonly dead: number;
  readonly errors: number;
  /** Relative. Of a tail null: it is no guardrail, where the traffic is too little to show anything of it. */
  readonly p95: number | null;
  readonly p99: number | null;
  readonly cost: number;
}

/** Margins: architecture, fine print. */
export const ROLLOUT_DEFAULTS: RolloutSettings = {
  steps: [5, 25, 50, 100],
  holdoutPercent: 5,
  periodMs: 60_000,
  blockMs: 5_000,
  warmupMs: 30_000,
  maximumMs: 24 * 3_600_000,
  metric: 'cost',
  alpha: 0.05,
  minimumRecords: 200,
  minimumBlocks: 12,
  margins: { dead: 0.005, errors: 0.005, p95: 0.1, p99: 0.25, cost: 0.05 },
  shadowRecords: 500,
};

/** So the outcome begins of one that its time was too short for: it is aborted, and nothing is said against the candidate. */
export const NOT_DECIDED = 'not decided in the time it had';

export type RolloutOutcome = 'promoted' | 'rolled-back' | 'aborted' | 'superseded' | 'failed';
export type RolloutPhase = 'starting' | 'shadow' | 'warming' | 'canary';

/** `starting` is what it is before a workflow took it up. */
export type RolloutState = RolloutPhase | RolloutOutcome;

/** What an evaluation leads to. `await-approval`: it is proved, and AutoFlow may not promote by itself. */
export type RolloutDecision =
  | { readonly decision: 'continue' | 'advance' | 'promote' | 'await-approval'; readonly reason: string }
  | { readonly decision: 'roll-back'; readonly reason: string }
  /**
   * AutoFlow may not lead traffic there by itself (any more), nobody can measure it, or its time is over: it is taken back, and nothing is said against
   * the candidate.
   */
  | { readonly decision: 'abort'; readonly reason: string }
  /** Somebody else has moved the traffic, or ended the rollout. */
  | { readonly decision: 'superseded'; readonly reason: string };

export interface RolloutPlan {
  readonly pipeline: string;
  readonly version: string;
  readonly baseline: string;
  readonly settings: RolloutSettings;
  /** The next step: 0 before the canary. */
  readonly step: number;
  readonly state: RolloutState;
  readonly paused: boolean;
}

/** Who says so, and why. */
export interface RolloutCommand {
  readonly rollout: string;
  readonly actor: string;
  readonly reason: string;
}

/** Each may be repeated: all that is known is in the rollout's row. */
export interface RolloutActivities {
  /** The row as it stands. */
  planRollout(request: { readonly rollout: string }): Promise<RolloutPlan>;
  /** Marks the phase, with its audit row; `superseded` where it has ended. `report` of a shadow that has ended. */
  enterRollout(request: {
    readonly rollout: string;
    readonly phase: RolloutPhase;
    readonly report?: ShadowReport;
  }): Promise<RolloutDecision>;
  /** Resolves when every pool of the candidate is acknowledged by a live host, or with `superseded` when somebody has ended it. Heartbeats. */
  warmRollout(request: { readonly rollout: string }): Promise<RolloutDecision>;
  /** Shares of the step with this number. */
  stepRollout(request: { readonly rollout: string; readonly step: number }): Promise<RolloutDecision>;
  evaluateRollout(request: { readonly rollout: string }): Promise<RolloutDecision>;
  pauseRollout(request: RolloutCommand & { readonly paused: boolean }): Promise<void>;
  /**
   * Moves the traffic as the outcome says. Answers how it ended: somebody may have been faster. `unlessPaused`: undefined where somebody has paused
   * it meanwhile.
   */
  endRollout(
    request: RolloutCommand & { readonly outcome: RolloutOutcome; readonly unlessPaused?: boolean },
  ): Promise<RolloutOutcome | undefined>;
  /** Measures what the candidate of an ended rollout did, where its batches have ended already: a long query, for which no traffic waits. */
  chargeRollout(request: { readonly rollout: string }): Promise<void>;
}
