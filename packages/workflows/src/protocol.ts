/** Names and shapes by which the outside speaks to the workflows. No Temporal, no Node: importable anywhere. */
import type { BackfillProgress } from '@autoflow/topology/execution';
import type { StageState } from './execution/ready-queue.js';

/** Query of an execution and of a backfill. */
export const PROGRESS_QUERY = 'progress';

export interface ExecutionProgress {
  readonly phase: 'admitting' | 'running' | 'settling' | 'ended';
  readonly version?: string;
  readonly records?: number;
  readonly stages: readonly StageProgress[];
}
export interface StageProgress {
  readonly name: string;
  readonly state: StageState;
  readonly parts: number;
  readonly partsDone: number;
  readonly invocations: number;
  /** Largest memory (MB) it was invoked with. */
  readonly memoryMb: number;
  /** What is in its output files so far. */
  readonly counts: { readonly records: number; readonly live: number; readonly filtered: number; readonly dying: number };
}

/** Workflow type of a backfill, on the control queue. Its signals are `pause`, `resume` and `cancel`. */
export const BACKFILL_WORKFLOW = 'Backfill';
export const BackfillSignal = { pause: 'pause', resume: 'resume', cancel: 'cancel' } as const;

export interface BackfillInput {
  readonly backfillId: string;
  /** Carried over when the workflow continues as new. */
  readonly paused?: boolean;
  readonly progress?: BackfillProgress;
  /** How long one activity feeds before it reports; default ten minutes. */
  readonly budgetMs?: number;
  /** Continues as new after so many feeds even if Temporal does not suggest it yet; default 200. */
  readonly feedsPerRun?: number;
}
export interface BackfillStatus {
  readonly state: 'running' | 'paused' | 'cancelling' | 'ended';
  readonly progress?: BackfillProgress;
}

export function backfillWorkflowId(backfillId: string): string {
  return `backfill/${backfillId}`;
}

/** Workflow type of the dry run of a backfill, on the control queue. */
export const BACKFILL_DRY_RUN_WORKFLOW = 'BackfillDryRun';

export function backfillDryRunWorkflowId(id: string): string {
  return `backfill-dry-run/${id}`;
}

/** Inline records and results of the direct door. */
export const MAXIMUM_INLINE_BYTES = 1024 * 1024;

/** Workflow type of a training, on the control queue; cancelled as any workflow is. */
export const TRAINING_WORKFLOW = 'Training';

export function trainingWorkflowId(training: string): string {
  return `training/${training}`;
}

/** Workflow type of a calibration, on the control queue. */
export const CALIBRATION_WORKFLOW = 'Calibration';

export function calibrationWorkflowId(pipeline: string, id: string): string {
  return `calibration/${pipeline}/${id}`;
}

/** Workflow type of a retraining of the scorer, on the control queue. */
export const RETRAINING_WORKFLOW = 'Retraining';

export function retrainingWorkflowId(pipeline: string, id: string): string {
  return `retraining/${pipeline}/${id}`;
}

/** Workflow type of the control of an allocation, on its own queue; one per pipeline. */
export const ALLOCATION_WORKFLOW = 'Allocation';

export function allocationWorkflowId(pipeline: string): string {
  return `allocation/${pipeline}`;
}
/** Workflow type of an optimization, on the control queue; cancelled as any workflow is. */
export const OPTIMIZATION_WORKFLOW = 'Optimization';
export const OPTIMIZATION_PREFIX = 'optimization/';

export function optimizationWorkflowId(optimization: string): string {
  return `${OPTIMIZATION_PREFIX}${optimization}`;
}
/** Of the Temporal Schedule by which a pipeline is optimized again and again. */
export function optimizationScheduleId(pipeline: string): string {
  return `optimize/${pipeline}`;
}

/** Workflow type of the rollouts of a pipeline, on the control queue: one run at a time per pipeline, spoken to by updates. */
export const ROLLOUT_WORKFLOW = 'Rollout';

/**
 * `start` names the rollout whose row is there; it follows one that is just ending. The others take who says so and why, and end when it is done.
 * Refused (by validators): a third one, `promote` before the canary, anything of a rollout that does not run.
 */
export const RolloutUpdate = {
  start: 'start',
  pause: 'pause',
  resume: 'resume',
  promote: 'promote',
  abort: 'abort',
  rollBack: 'roll-back',
} as const;

export interface RolloutInput {
  /** Carried over when the workflow continues as new. */
  readonly rollout?: string;
  /** Continues as new after so many evaluations even if Temporal does not suggest it yet; default 500. */
  readonly evaluationsPerRun?: number;
  /** The run before has led it through shadow and warming. */
  readonly prepared?: boolean;
}

export function rolloutWorkflowId(pipeline: string): string {
  return `rollout/${pipeline}`;
}
