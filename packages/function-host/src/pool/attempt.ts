import { ApplicationFailure, CancelledFailure, type Info } from '@temporalio/activity';
import type { InvocationRow } from '@autoflow/store';
import { StageFailure, type StageAnswer, type StageInvocation } from '@autoflow/topology';
import type { InvocationUsage } from '../instance/protocol.js';
import type { Ended, InvocationResult } from '../process/instance-process.js';
import { ReleaseError } from '../release/errors.js';
import { InstanceNotReady } from './instances.js';

/** What one attempt came to, for Temporal and for metering. */
export type AttemptEnd =
  | { readonly outcome: 'ok'; readonly answer: StageAnswer; readonly usage: InvocationUsage }
  | { readonly outcome: Exclude<InvocationRow['outcome'], 'ok'>; readonly error: Error; readonly usage?: InvocationUsage };

/** What the instance answered, or how it ended. `cancellation` is the reason when the execution no longer wants the answer. */
export function endOf(result: InvocationResult, memoryMb: number, cancellation: Error | undefined): AttemptEnd {
  if (result.type === 'ended') return endedEnd(result.ended, memoryMb, cancellation);
  const { usage } = result;
  if (result.type === 'failure') {
    if (cancellation !== undefined) return { outcome: 'cancelled', error: cancellation, usage };
    const { type, message, retryable } = result.failure;
    return { outcome: 'failed', error: ApplicationFailure.create({ type, message, nonRetryable: !retryable }), usage };
  }
  // All its records were done before the handlers noticed the cancellation: what they wrote is told.
  if (cancellation !== undefined && result.answer.retry !== undefined) return { outcome: 'cancelled', error: cancellation, usage };
  return { outcome: 'ok', answer: result.answer, usage };
}

/** What was thrown before an instance could be asked. */
export function endByError(error: unknown, memoryMb: number): AttemptEnd {
  if (error instanceof CancelledFailure) return { outcome: 'cancelled', error };
  if (error instanceof InstanceNotReady) return endedEnd(error.ended, memoryMb, undefined);
  if (error instanceof ReleaseError) return { outcome: 'failed', error: failure(StageFailure.releaseBroken, error.message, error) };
  return { outcome: 'failed', error: error as Error };
}

function endedEnd({ why, message }: Ended, memoryMb: number, cancellation: Error | undefined): AttemptEnd {
  if (why === 'out-of-memory') {
    const error = ApplicationFailure.create({ type: StageFailure.outOfMemory, message, nonRetryable: true, details: [{ memoryMb }] });
    return { outcome: 'out-of-memory', error };
  }
  if (cancellation !== undefined) return { outcome: 'cancelled', error: cancellation };
  switch (why) {
    case 'timed-out':
      return { outcome: 'timed-out', error: failure(StageFailure.timedOut, message) };
    case 'broken':
      return { outcome: 'failed', error: failure(StageFailure.releaseBroken, message) };
    case 'cancelled':
    case 'died':
      return { outcome: 'instance-died', error: failure(StageFailure.instanceDied, message) };
  }
}

/** What to do about it is the interpreter's decision, so Temporal never retries these by itself. */
function failure(type: string, message: string, cause?: Error): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...(cause && { cause }) });
}

/** Milliseconds. */
export interface AttemptTimes {
  readonly startedAt: number;
  readonly gateMs: number;
  readonly coldStartMs: number;
  readonly durationMs: number;
}

const NO_USAGE = {
  cpuMs: 0,
  runQueueMs: 0,
  recordsIn: 0,
  recordsOut: 0,
  filtered: 0,
  dead: 0,
  retried: 0,
  bytesIn: 0,
  bytesOut: 0,
  spans: [],
} as const;

/** The metering row of one attempt. An instance that ended tells nothing of itself: memory is what it was allowed when that ran out. */
export function rowOf(
  place: Pick<InvocationRow, 'host' | 'memoryMb' | 'enforcement' | 'costUsd'>,
  { pipeline, release, version, stage, scope, batchId }: StageInvocation,
  info: Info,
  times: AttemptTimes,
  end: AttemptEnd,
): InvocationRow {
  const peakMemoryMb = end.outcome === 'out-of-memory' ? place.memoryMb : 0;
  return {
    runId: info.workflowExecution?.runId ?? '',
    activityId: info.activityId,
    attempt: info.attempt,
    executionId: info.workflowExecution?.workflowId ?? '',
    ...{ pipeline, release, version, stage, scope, batchId },
    ...place,
    startedAt: new Date(times.startedAt),
    queueMs: Math.max(0, times.startedAt - info.currentAttemptScheduledTimestampMs),
    gateMs: times.gateMs,
    cold: times.coldStartMs > 0,
    coldStartMs: times.coldStartMs,
    durationMs: times.durationMs,
    ...{ peakMemoryMb, ...NO_USAGE, ...end.usage },
    outcome: end.outcome,
    ...(end.outcome !== 'ok' && { error: errorText(end.error) }),
  };
}

const errorText = (error: Error): string =>
  error instanceof ApplicationFailure ? `${error.type}: ${error.message}` : `${error.name}: ${error.message}`;
