/** What the workflow of an optimization and its activities say to each other. All that they find out is in rows: what goes through Temporal is small. */
import type { TrainingInput, TrainingOrder } from './training.js';

/** What is asked for; what is left out is as the pipeline's settings say, or usual. */
export interface OptimizationRequest {
  /** Proposes, and changes nothing. */
  readonly dryRun: boolean;
  /** What is to be bettered; default: the stable version. */
  readonly version?: string;
  readonly minimise?: 'cost' | 'latency';
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  /** Records per second, or a multiple of what was measured. */
  readonly ratePerSecond?: number;
  readonly times?: number;
  /** Guardrail of the rollout, which the search keeps too: p95 as a multiple of that of what runs, where so many records arrive in a second. */
  readonly rollout?: { readonly ratePerSecond?: number; readonly p95?: number };
  /** The budget: plans that the twin is asked about, and seconds, by all proposers together. */
  readonly evaluations?: number;
  readonly seconds?: number;
  /** US dollars that its own computing may cost, learners included. */
  readonly usd?: number;
  readonly proposers?: readonly string[];
  readonly seed?: number;
  /** Measurements of so long are looked at. */
  readonly sinceMs?: number;
  /** The workload was another one before (milliseconds since the epoch): nothing from before is looked at. */
  readonly changedAt?: number;
  /** What the running version did with the records of this scope is what the twin is held against; default: with all. */
  readonly scope?: string;
  readonly cores?: number;
  /** Learners that train the resource agent meanwhile; what they learn competes for the starting allocation. */
  readonly training?: TrainingOrder & Pick<TrainingInput, 'takenWithinMs'>;
}

export interface OptimizationInput {
  readonly optimization: string;
  readonly pipeline: string;
  readonly request: OptimizationRequest;
  /** Who asked: a person, by the API, or the schedule. */
  readonly by: 'person' | 'schedule';
}

export const OPTIMIZATION_STEPS = ['gather', 'fit', 'propose', 'train', 'allocate', 'register', 'roll-out'] as const;
export type OptimizationStep = (typeof OPTIMIZATION_STEPS)[number];

/** What a step came to, and why: also of the decision to keep what runs. */
export interface OptimizationDecision {
  readonly step: OptimizationStep;
  /** `stop`: nothing follows; it is no failure. */
  readonly verdict: 'go-on' | 'stop';
  /** Of a stop, and of a training that has no learners; stable. */
  readonly code?: OptimizationStop | 'NO_LEARNER';
  readonly reason: string;
  /** What its computing cost, at list prices. */
  readonly usd?: number;
}
export type OptimizationStop =
  | 'RUNNING_ALREADY'
  | 'TOO_LITTLE_DATA'
  | 'NOT_IDENTIFIABLE'
  | 'CONTRADICTORY'
  | 'DRIFTING'
  | 'UNFIT'
  | 'NOTHING_BETTER'
  | 'BUDGET'
  | 'DRY_RUN'
  | 'RELEASE_CHANGED'
  | 'ALLOCATED'
  | 'NOT_ALLOWED'
  | 'ILLEGAL';

export interface OptimizationStatus {
  readonly step?: OptimizationStep;
  readonly decisions: readonly OptimizationDecision[];
}
/** What nobody has asked for trains as the pipeline's settings say. Older ones, in histories, have answered the decision alone. */
export interface OpenedOptimization extends OptimizationDecision {
  readonly training?: NonNullable<OptimizationRequest['training']>;
  /** Why it trains nothing, although it may. */
  readonly untrained?: string;
}
export interface OptimizationResult {
  readonly state: 'completed' | 'cancelled' | 'failed';
  readonly decisions: readonly OptimizationDecision[];
}

/** Each does its step once: done before, it answers what came of it. */
export interface OptimizationActivities {
  /** Makes the row, where the schedule started it. */
  openOptimization(input: OptimizationInput): Promise<OpenedOptimization>;
  gatherMetrics(request: StepRequest): Promise<OptimizationDecision>;
  fitTwin(request: StepRequest): Promise<OptimizationDecision>;
  proposeTopologies(request: StepRequest): Promise<OptimizationDecision>;
  /** `training`: whose policy competes as well. */
  allocate(request: StepRequest & { readonly training?: string }): Promise<OptimizationDecision>;
  /** Of a step that is a workflow of its own: answers what it may use. Older ones, in histories, have answered nothing. */
  beginStep(request: StepRequest & { readonly step: OptimizationStep }): Promise<StepBudget | undefined>;
  finishStep(request: StepRequest & { readonly decision: OptimizationDecision }): Promise<OptimizationDecision>;
  registerProposal(request: StepRequest): Promise<OptimizationDecision>;
  startRollout(request: StepRequest): Promise<OptimizationDecision>;
  closeOptimization(request: StepRequest & { readonly state: OptimizationResult['state']; readonly reason: string }): Promise<void>;
}
/** Of its learners. */
export const trainingOf = (optimization: string): string => `optimization-${optimization}`;

export interface StepBudget {
  /** Default: as many as it was given. */
  readonly seconds?: number;
}
export interface StepRequest {
  readonly optimization: string;
}
