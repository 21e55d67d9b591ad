import type { Log, Store } from '@autoflow/store';
import type { ExecutionProgress } from '@autoflow/workflows';

/** What ingest touches outside. */
export interface Ports {
  readonly store: Store;
  readonly executions: Executions;
  readonly log: Log;
}

/** A stage's activity that the server knows to be under way, or to wait. */
export interface PendingInvocation {
  readonly stage: string;
  readonly state: 'queued' | 'running' | 'backing-off';
  /** Since when; absent where the server does not say. */
  readonly since?: Date;
  readonly attempt: number;
  readonly lastFailure?: string;
}
export interface ExecutionView {
  /** Undefined when no worker answered the query in time. */
  readonly progress?: ExecutionProgress;
  readonly pending: readonly PendingInvocation[];
}

/** What Temporal says of executions. Nothing here is needed to accept records: every call answers undefined or false when the server does not. */
export interface Executions {
  /** Within about a second. */
  view(executionId: string): Promise<ExecutionView | undefined>;
  /** Tasks that wait in a pool's queue, as far as the server counts them. */
  queued(queue: string): Promise<number | undefined>;
  /** Asks the execution to end; false when the server could not be asked, or has no such execution running. */
  cancel(executionId: string): Promise<boolean>;
}

/** Injection tokens: explicit, so that no decorator metadata is needed. */
export const STORE = Symbol('Store');
export const EXECUTIONS = Symbol('Executions');
export const INTAKE = Symbol('Intake');
export const OUTCOMES = Symbol('Outcomes');
export const LIMITS = Symbol('Limits');
export const COUNTS = Symbol('Counts');

export interface Limits {
  readonly lineBytes: number;
  /** Records of a pipeline. */
  readonly waiting: number;
  /** A stream that finds no room waits as long for some before it is ended. */
  readonly patienceMs: number;
}
