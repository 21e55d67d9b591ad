import type { Log, Store } from '@autoflow/store';
import type { OptimizationInput, RolloutCommand } from '@autoflow/topology';

/** What the control plane touches outside. */
export interface Ports {
  readonly store: Store;
  readonly backfillRuns: BackfillRuns;
  readonly optimizationRuns: OptimizationRuns;
  readonly rolloutRuns: RolloutRuns;
  readonly questionRuns: QuestionRuns;
  readonly log: Log;
}

/** The workflows behind backfills. Every call is safe to repeat; throws `TEMPORAL_UNAVAILABLE` (retryable) when the server does not answer. */
export interface BackfillRuns {
  start(backfillId: string): Promise<void>;
  /** A run that has ended already is left alone. */
  signal(backfillId: string, signal: 'pause' | 'cancel'): Promise<void>;
  /** Starts a run if there is none: one that was terminated goes on where its row stands. */
  resume(backfillId: string): Promise<void>;
  ping(): Promise<void>;
}

/** The workflows behind optimizations; as those behind backfills. */
export interface OptimizationRuns {
  start(input: OptimizationInput): Promise<void>;
  cancel(optimization: string): Promise<void>;
  /** Nobody runs an optimization whose workflow was terminated. */
  isRunning(optimization: string): Promise<boolean>;
}
/** Workflows that answer a question, and change nothing but what is measured. Throws `TEMPORAL_UNAVAILABLE` as above. */
export interface QuestionRuns {
  /** One that runs already is left alone. */
  start(type: string, workflowId: string, question: object): Promise<void>;
  find<Answer>(workflowId: string): Promise<QuestionState<Answer> | undefined>;
}
export type QuestionState<Answer> = { readonly askedAt: Date; readonly answeredAt?: Date } & (
  | { readonly state: 'running' }
  | { readonly state: 'answered'; readonly answer: Answer }
  | { readonly state: 'failed'; readonly failure: { readonly code: string; readonly message: string } }
);

/** The workflow behind the rollouts of a pipeline. */
export interface RolloutRuns {
  start(pipeline: string, rollout: string): Promise<void>;
  /** Resolves when it is done; rejects when there is no such run. */
  tell(pipeline: string, update: 'promote' | 'abort' | 'rollBack', command: RolloutCommand): Promise<void>;
}

/** Injection tokens: explicit, so that no decorator metadata is needed. */
export const STORE = Symbol('Store');
export const ROLLOUT_RUNS = Symbol('RolloutRuns');
export const OPTIMIZATION_RUNS = Symbol('OptimizationRuns');
export const BACKFILL_RUNS = Symbol('BackfillRuns');
export const QUESTION_RUNS = Symbol('QuestionRuns');
