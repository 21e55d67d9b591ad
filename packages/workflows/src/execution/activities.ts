/** How the interpreter's activities are scheduled: time limits, retries, and the fallback from local to normal. */
import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { poolQueue, StageFailure } from '@autoflow/topology/execution';
import type { ExecutionActivities, StageAnswer, StageInvocation, StagePlan } from '@autoflow/topology/execution';
import { isRefusal } from './failures.js';

type Request<A extends keyof ExecutionActivities> = Parameters<ExecutionActivities[A]>[0];
type Answer<A extends keyof ExecutionActivities> = ReturnType<ExecutionActivities[A]>;

/** A batch with more records or bytes is settled by a normal activity at once: it would not be done in two seconds. */
const LOCAL_LIMIT = { records: 500, bytes: 1024 * 1024 };

const local = proxyLocalActivities<ExecutionActivities>({
  scheduleToCloseTimeout: '2s',
  retry: { initialInterval: '200ms', maximumAttempts: 3 },
});
const normal = proxyActivities<ExecutionActivities>({
  startToCloseTimeout: '10m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

export function admit(request: Request<'admit'>): Answer<'admit'> {
  return localFirst(
    () => local.admit(request),
    () => normal.admit(request),
  );
}

export function settle(request: Request<'settle'>): Answer<'settle'> {
  const { counts, bytes } = request.execution.batch;
  if (counts.records > LOCAL_LIMIT.records || bytes > LOCAL_LIMIT.bytes)
    return CancellationScope.nonCancellable(() => normal.settle(request));
  return localFirst(
    () => local.settle(request),
    () => normal.settle(request),
  );
}

export function requireMemory(request: Request<'requireMemory'>): Answer<'requireMemory'> {
  return localFirst(
    () => local.requireMemory(request),
    () => normal.requireMemory(request),
  );
}

/** One invocation of a stage on its pool's queue; the activity type is the stage's name. */
export function invokeStage(invocation: StageInvocation, plan: StagePlan, records: number, memoryMb: number): Promise<StageAnswer> {
  const { pipeline, version, stage } = invocation;
  const activities = proxyActivities<{ [stage: string]: (invocation: StageInvocation) => Promise<StageAnswer> }>({
    taskQueue: poolQueue(pipeline, version, stage, memoryMb),
    heartbeatTimeout: '5s',
    // The host ends an invocation that makes no progress; this only bounds what a live host could do wrong.
    startToCloseTimeout: Math.min(DAY_MS, TEN_MINUTES_MS + plan.timeoutMs * records),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry:
      // Whom it condemns it does not run.
      plan.effect === 'write' && invocation.condemn === undefined
        ? { maximumAttempts: 1 }
        : { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 5, nonRetryableErrorTypes: Object.values(StageFailure) },
  });
  const activity = activities[stage];
  if (activity === undefined) throw new TypeError(`no activity for stage '${stage}'`);
  return activity(invocation);
}

/**
 * In the workflow's own worker first, which costs no hop. When the store does not answer within two seconds it becomes a normal
 * activity, tried until it works: a local one that goes on would hold a workflow slot. Not cancellable, as it leaves rows behind.
 */
function localFirst<T>(inWorker: () => Promise<T>, asActivity: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(async () => {
    try {
      return await inWorker();
    } catch (error) {
      if (isRefusal(error) || isCancellation(error)) throw error;
      return asActivity();
    }
  });
}

const TEN_MINUTES_MS = 600_000;
const DAY_MS = 24 * 3_600_000;
