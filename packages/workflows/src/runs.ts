/**
 * Workflows of the control queue as a client sees them: for whoever starts them, in the worker and in the control plane alike. It is beside the protocol
 * that it speaks, of which both know. Nothing of the sandbox may import it: it is an entry of its own, and the arrows' test follows all others.
 */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { CONTROL_QUEUE } from '@autoflow/topology/execution';
import { optimizationWorkflowId, ROLLOUT_WORKFLOW, RolloutUpdate, rolloutWorkflowId, type RolloutInput } from './protocol.js';

/** Has the rollout run whose row is there; one that runs already goes on. Waits for a worker only where the rollout before is just ending. */
export async function runRollout(client: Client, pipeline: string, rollout: string): Promise<void> {
  const workflowId = rolloutWorkflowId(pipeline);
  const args: [RolloutInput] = [{ rollout }];
  try {
    await client.workflow.start(ROLLOUT_WORKFLOW, { taskQueue: CONTROL_QUEUE, workflowId, workflowIdConflictPolicy: 'FAIL', args });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    try {
      await client.workflow.getHandle(workflowId).executeUpdate(RolloutUpdate.start, { args: [{ rollout }] });
    } catch (gone) {
      // It has ended meanwhile, without having heard of it.
      if (!(gone instanceof WorkflowNotFoundError)) throw gone;
      await runRollout(client, pipeline, rollout);
    }
  }
}

/** Whether a workflow runs rollouts of the pipeline; throws where Temporal cannot tell. */
export const isRolloutRunning = (client: Client, pipeline: string): Promise<boolean> => isRunning(client, rolloutWorkflowId(pipeline));

/** Whether a workflow runs the optimization; throws where Temporal cannot tell. */
export const isOptimizationRunning = (client: Client, optimization: string): Promise<boolean> =>
  isRunning(client, optimizationWorkflowId(optimization));

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
