import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { CONTROL_QUEUE, type OptimizationInput } from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import type { OptimizationRuns } from '../ports.js';
import { within } from './within.js';

export function optimizationRuns(client: Client): OptimizationRuns {
  const handleOf = (id: string) => client.workflow.getHandle(optimizationWorkflowId(id));
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
    cancel: (id) => within(client, () => unlessGone(async () => void (await handleOf(id).cancel()), undefined)),
    isRunning: (id) => within(client, () => unlessGone(async () => (await handleOf(id).describe()).status.name === 'RUNNING', false)),
  };
}

async function unlessGone<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return otherwise;
    throw error;
  }
}
