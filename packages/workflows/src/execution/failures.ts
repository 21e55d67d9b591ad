/** What the failure of an activity means for the execution, and how failures leave the workflow. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { StageFailure } from '@autoflow/topology/execution';
import type { Attempt } from './dispatch.js';

/** Why an execution ends although it was not cancelled. */
export interface Terminal {
  readonly code: string;
  readonly message: string;
}

const PROCESS_LOST: readonly string[] = [StageFailure.instanceDied, StageFailure.timedOut];

/** The rejection of a stage activity as an attempt; throws it again when the execution has to end. */
export function attemptOf(error: unknown): Attempt {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  const cause = error.cause;
  if (cause instanceof TimeoutFailure)
    return { kind: 'host-lost', code: 'HOST_LOST', message: 'every host that took the invocation stopped answering', begun: true };
  if (!(cause instanceof ApplicationFailure))
    return { kind: 'platform', code: 'PLATFORM', message: cause?.message ?? error.message, begun: true };
  const found = { code: cause.type ?? 'PLATFORM', message: cause.message, begun: hasBegun(cause) };
  if (cause.type === StageFailure.outOfMemory) return { kind: 'out-of-memory', ...found };
  if (cause.type && PROCESS_LOST.includes(cause.type)) return { kind: 'process-lost', ...found };
  if (cause.nonRetryable || isTerminal(cause.type)) throw error;
  return { kind: 'platform', ...found };
}

/** Whether handlers may have run: a host says so when it is certain that none did. */
function hasBegun({ details }: ApplicationFailure): boolean {
  const [told] = details ?? [];
  return !(typeof told === 'object' && told !== null && 'begun' in told && told.begun === false);
}

function isTerminal(type: string | null | undefined): boolean {
  return type === StageFailure.batchMissing || type === StageFailure.releaseBroken;
}

/** Trying again, or in another way, cannot help. A local activity fails with its own failure, a normal one with a wrapped one. */
export function isRefusal(error: unknown): boolean {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && failure.nonRetryable === true;
}

export function terminalOf(error: unknown): Terminal {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  const cause = wrapped && error.cause ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'FAILED', message: cause.message };
  if (cause instanceof Error)
    return { code: 'code' in cause && typeof cause.code === 'string' ? cause.code : 'INTERNAL', message: cause.message };
  return { code: 'INTERNAL', message: String(cause) };
}

/**
 * Anything but an ApplicationFailure or a cancellation would fail the workflow task, which Temporal then retries for ever:
 * every workflow of ours leaves through here.
 */
export function atBoundary(error: unknown): Error {
  if (error instanceof Error && isCancellation(error)) return error;
  if (error instanceof ApplicationFailure) return error;
  const { code, message } = terminalOf(error);
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, ...(error instanceof Error ? { cause: error } : {}) });
}
