import { isGrpcServiceError, ServiceError, type Client, WorkflowNotFoundError } from '@temporalio/client';
import { ProblemError } from '@autoflow/http';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { BACKFILL_WORKFLOW, type BackfillInput, BackfillSignal, backfillWorkflowId } from '@autoflow/workflows';
import type { BackfillRuns } from '../ports.js';

/** A request waits for Temporal no longer than this; a health check, which has a patience of its own, less. */
const PATIENCE_MS = 5_000;
const PING_PATIENCE_MS = 2_000;

export function backfillRuns(client: Client): BackfillRuns {
  const options = (backfillId: string) => ({
    taskQueue: CONTROL_QUEUE,
    workflowId: backfillWorkflowId(backfillId),
    args: [{ backfillId }] as [BackfillInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
  });
  const within = async <T>(work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + patienceMs, work);
    } catch (error) {
      throw isOutage(error) ? new ProblemError('TEMPORAL_UNAVAILABLE', 'Temporal did not answer.', [], { cause: error }) : error;
    }
  };
  return {
    start: (id) => within(async () => void (await client.workflow.start(BACKFILL_WORKFLOW, options(id)))),
    resume: (id) =>
      within(
        async () =>
          void (await client.workflow.signalWithStart(BACKFILL_WORKFLOW, {
            ...options(id),
            signal: BackfillSignal.resume,
            signalArgs: [],
          })),
      ),
    signal: (id, signal) =>
      within(async () => {
        await client.workflow
          .getHandle(backfillWorkflowId(id))
          .signal(BackfillSignal[signal])
          .catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          });
      }),
    ping: () => within(async () => void (await client.workflowService.getSystemInfo({})), PING_PATIENCE_MS),
  };
}

/** What the transport says when nobody answers: everything else is about the request. */
const OUTAGES: readonly number[] = [1, 4, 8, 14]; // CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE

function isOutage(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return OUTAGES.includes(cause.code);
  return cause instanceof Error && /connect|deadline/i.test(cause.message);
}
