/** Whether an execution exists is only known to who has its id: a start of it may be under way for as long as the client tries. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BatchRow } from '@autoflow/store';
import { FORESTALLED, FORESTALLED_TYPE, statusOf } from './starting.js';

const NOBODY = 'af.nobody';

/**
 * Makes sure that a batch without an execution never gets one: its id is taken by one that nobody carries out, and every start that is still
 * under way is refused. False: somebody has started it before. Again: answers the same.
 */
export async function forestall({ executionId }: Pick<BatchRow, 'executionId'>, client: Client): Promise<boolean> {
  try {
    await client.workflow.start(FORESTALLED_TYPE, {
      taskQueue: NOBODY,
      workflowId: executionId,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if ((await statusOf(executionId, client)) !== FORESTALLED) return false;
  }
  try {
    await client.workflow.getHandle(executionId).terminate('its batch was taken back before it was started');
  } catch (error) {
    // Whoever came before has ended it.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  return true;
}
