import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { PROGRESS_QUERY, type ExecutionProgress } from '@autoflow/workflows';
import type { Executions, PendingInvocation } from './ports.js';

const PATIENCE_MS = 1_000;
const ACTIVITY_QUEUE = 2;
/** `PENDING_ACTIVITY_STATE_SCHEDULED`; one that was attempted before and is scheduled anew waits for its backoff. */
const SCHEDULED = 1;

/** Whatever goes wrong on the way to Temporal, the answer is that it said nothing: why a record waits is told as far as it can be. */
export function temporalExecutions(client: Client): Executions {
  const within = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await client.withDeadline(Date.now() + PATIENCE_MS, work);
    } catch {
      return undefined;
    }
  };
  return {
    async view(executionId) {
      const handle = client.workflow.getHandle(executionId);
      const [described, progress] = await Promise.all([
        within(() => handle.describe()),
        within(() => handle.query<ExecutionProgress>(PROGRESS_QUERY)),
      ]);
      if (described === undefined) return undefined;
      const pending = (described.raw.pendingActivities ?? []).map(invocationOf);
      return { pending, ...(progress !== undefined && { progress }) };
    },

    async queued(queue) {
      const answer = await within(() =>
        client.workflowService.describeTaskQueue({
          namespace: client.options.namespace,
          taskQueue: { name: queue },
          taskQueueType: ACTIVITY_QUEUE,
          reportStats: true,
        }),
      );
      const count = answer?.stats?.approximateBacklogCount;
      return count === undefined || count === null ? undefined : Number(count);
    },

    async cancel(executionId) {
      try {
        await client.withDeadline(Date.now() + 3 * PATIENCE_MS, () => client.workflow.getHandle(executionId).cancel());
        return true;
      } catch (error) {
        // It has ended meanwhile: there is nothing left to ask.
        return error instanceof WorkflowNotFoundError;
      }
    },
  };
}

type Pending = NonNullable<
  NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['raw']['pendingActivities']>[number]
>;

function invocationOf(pending: Pending): PendingInvocation {
  const { activityType, state, attempt, scheduledTime, lastStartedTime, lastFailure } = pending;
  const isScheduled = state === SCHEDULED;
  const since = dateOf(isScheduled ? scheduledTime : lastStartedTime);
  return {
    stage: activityType?.name ?? '',
    state: !isScheduled ? 'running' : since !== undefined && since.getTime() > Date.now() ? 'backing-off' : 'queued',
    ...(since !== undefined && { since }),
    attempt: attempt ?? 1,
    ...(lastFailure?.message && { lastFailure: lastFailure.message }),
  };
}

function dateOf(time: Pending['scheduledTime']): Date | undefined {
  return time?.seconds === undefined || time.seconds === null ? undefined : new Date(Number(time.seconds) * 1000 + (time.nanos ?? 0) / 1e6);
}
