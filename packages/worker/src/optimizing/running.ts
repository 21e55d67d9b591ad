import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { optimizationWorkflowId } from '@autoflow/workflows';

/** Whether there is a workflow that runs the optimization; throws where Temporal cannot tell. */
export async function isOptimizationRunning(client: Client, optimization: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(optimizationWorkflowId(optimization)).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
