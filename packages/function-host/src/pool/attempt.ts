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
  // An answer that comes in spite of a cancellation tells what was written: it is delivered.
  if (result.type === 'answer') return { outcome: 'ok', answer: result.answer, usage: result.usage };
  if (result.type === 'ended') return endedEnd(result.ended, memoryMb, result.begun, cancellation);
  const { usage, begun } = result;
  if (cancellation !== undefined) return { outcome: 'cancelled', error: cancellation, usage };
  const { type, message, retryable } = result.failure;
  return { outcome: 'failed', error: failure(type, message, { begun }, { retryable }), usage };
}

/** What was thrown before an instance was asked. */
export function endByError(error: unknown, memoryMb: number): AttemptEnd {
  if (error instanceof CancelledFailure) return { outcome: 'cancelled', error };
  if (error instanceof InstanceNotReady) return endedEnd(error.ended, memoryMb, false, undefined);
  const cause = error instanceof Error ? error : new Error(String(error));
  const retryable = !(error instanceof ReleaseError) || error.retryable;
  const type = !(error instanceof ReleaseError) ? cause.name : retryable ? RELEASE_MISSING : StageFailure.releaseBroken;
  return { outcome: 'failed', error: failure(type, cause.message, { begun: false }, { retryable, cause }) };
}

function endedEnd({ why, message }: Ended, memoryMb: number, begun: boolean, cancellation: Error | undefined): AttemptEnd {
  if (why === 'out-of-memory') return { outcome: 'out-of-memory', error: failure(StageFailure.outOfMemory, message, { begun, memoryMb }) };
  if (cancellation !== undefined) return { outcome: 'cancelled', error: cancellation };
  switch (why) {
    case 'timed-out':
      return { outcome: 'timed-out', error: failure(StageFailure.timedOut, message, { begun }) };
    case 'broken':
      return { outcome: 'failed', error: failure(StageFailure.releaseBroken, message, { begun }) };
    case 'not-started':
    case 'late':
      return { outcome: 'failed', error: failure(NOT_STARTED, message, { begun }, { retryable: true }) };
    case 'cancelled':
    case 'died':
      return { outcome: 'instance-died', error: failure(StageFailure.instanceDied, message, { begun }) };
  }
}

/** Failures of this host, not of the release or its handlers: Temporal tries again, perhaps elsewhere. */
const RELEASE_MISSING = 'ReleaseMissing';
const NOT_STARTED = 'InstanceNotStarted';

/** Of every failure. A stage that writes is never run again unless `begun` is false: then no handler ran, for certain. */
interface FailureDetails {
  readonly begun: boolean;
  /** When memory ran out. */
  readonly memoryMb?: number;
}

/** What to do about most is the interpreter's decision: Temporal by itself tries again only what is `retryable`. */
function failure(
  type: string,
  message: string,
  details: FailureDetails,
  { retryable = false, cause }: { readonly retryable?: boolean; readonly cause?: Error } = {},
): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: !retryable, details: [details], ...(cause && { cause }) });
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
  recordsOut: 0,
  filtered: 0,
  dead: 0,
  retried: 0,
  bytesIn: 0,
  bytesOut: 0,
  spans: [],
} as const;

/**
 * The metering row of one attempt. An instance that ended tells nothing of itself: memory is what it was
 * allowed when that ran out, and of the records it is known what it was given.
 */
export function rowOf(
  place: Pick<InvocationRow, 'host' | 'memoryMb' | 'enforcement' | 'costUsd'>,
  invocation: StageInvocation,
  info: Info,
  times: AttemptTimes,
  end: AttemptEnd,
): InvocationRow {
  const { pipeline, release, version, stage, scope, batchId } = invocation;
  const recordsIn = end.outcome === 'cancelled' ? 0 : given(invocation);
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
    ...{ peakMemoryMb, ...NO_USAGE, recordsIn, ...end.usage },
    outcome: end.outcome,
    ...(end.outcome !== 'ok' && { error: errorText(end.error) }),
  };
}

/** The same records may come in several files. */
function given({ inputs, slice }: StageInvocation): number {
  const live = Math.max(0, ...inputs.map(({ counts }) => counts.live));
  return slice === undefined ? live : Math.min(live, slice.to - slice.from);
}

const errorText = (error: Error): string =>
  error instanceof ApplicationFailure ? `${error.type}: ${error.message}` : `${error.name}: ${error.message}`;
