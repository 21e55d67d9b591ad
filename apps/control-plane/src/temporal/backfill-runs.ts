import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { BACKFILL_WORKFLOW, type BackfillInput, BackfillSignal, backfillWorkflowId } from '@autoflow/workflows';
import type { BackfillRuns } from '../ports.js';
import { within } from './within.js';

const PING_PATIENCE_MS = 2_000;

export function backfillRuns(client: Client): BackfillRuns {
  const options = (backfillId: string) => ({
    taskQueue: CONTROL_QUEUE,
    workflowId: backfillWorkflowId(backfillId),
    args: [{ backfillId }] as [BackfillInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
  });
  const asked = <T>(work: () => Promise<T>, patienceMs?: number): Promise<T> => within(client, work, patienceMs);
  return {
    start: (id) => asked(async () => void (await client.workflow.start(BACKFILL_WORKFLOW, options(id)))),
    resume: (id) =>
      asked(
        async () =>
          void (await client.workflow.signalWithStart(BACKFILL_WORKFLOW, {
            ...options(id),
            signal: BackfillSignal.resume,
            signalArgs: [],
          })),
      ),
    signal: (id, signal) =>
      asked(async () => {
        await client.workflow
          .getHandle(backfillWorkflowId(id))
          .signal(BackfillSignal[signal])
          .catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          });
      }),
    ping: () => asked(async () => void (await client.workflowService.getSystemInfo({})), PING_PATIENCE_MS),
  };
}
