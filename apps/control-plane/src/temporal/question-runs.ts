import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { CONTROL_QUEUE } from '@autoflow/topology';
import type { QuestionRuns, QuestionState } from '../ports.js';
import { within } from './within.js';

export function questionRuns(client: Client): QuestionRuns {
  return {
    async start(type, id, question) {
      await within(client, () =>
        client.workflow.start(type, {
          taskQueue: CONTROL_QUEUE,
          workflowId: id,
          args: [question],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      );
    },
    async find<Answer>(id: string): Promise<QuestionState<Answer> | undefined> {
      const handle = client.workflow.getHandle(id);
      try {
        const { status, startTime, closeTime } = await within(client, () => handle.describe());
        const times = { askedAt: startTime, ...(closeTime && { answeredAt: closeTime }) };
        if (status.name === 'RUNNING') return { ...times, state: 'running' };
        return { ...times, state: 'answered', answer: (await within(client, () => handle.result())) as Answer };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        if (!(error instanceof WorkflowFailedError)) throw error;
        const { startTime, closeTime } = await within(client, () => handle.describe());
        return { askedAt: startTime, ...(closeTime && { answeredAt: closeTime }), state: 'failed', failure: failureOf(error) };
      }
    },
  };
}

/** What the activity refused with; else that the workflow was ended by somebody. */
function failureOf(error: WorkflowFailedError): { readonly code: string; readonly message: string } {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'FAILED', message: cause.message };
  return { code: 'ENDED', message: error.cause?.message ?? error.message };
}
