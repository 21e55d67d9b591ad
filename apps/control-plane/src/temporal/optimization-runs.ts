import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { CONTROL_QUEUE, type OptimizationInput } from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import { isOptimizationRunning } from '@autoflow/workflows/runs';
import type { OptimizationRuns } from '../ports.js';
import { within } from './within.js';

export function optimizationRuns(client: Client): OptimizationRuns {
  return {
    start: (input) =>
      within(
        client,
        async () =>
          void (await client.workflow.start(OPTIMIZATION_WORKFLOW, {
            taskQueue: CONTROL_QUEUE,
            workflowId: optimizationWorkflowId(input.optimization),
            args: [input] satisfies [OptimizationInput],
            workflowIdConflictPolicy: 'USE_EXISTING',
          })),
      ),
    cancel: (id) => within(client, () => cancel(client, id)),
    isRunning: (id) => within(client, () => isOptimizationRunning(client, id)),
  };
}

async function cancel(client: Client, id: string): Promise<void> {
  try {
    await client.workflow.getHandle(optimizationWorkflowId(id)).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
