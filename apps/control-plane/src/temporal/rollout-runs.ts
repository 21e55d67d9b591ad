import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { ROLLOUT_WORKFLOW, type RolloutInput, RolloutUpdate, rolloutWorkflowId } from '@autoflow/workflows';
import type { RolloutRuns } from '../ports.js';
import { within } from './within.js';

export function rolloutRuns(client: Client): RolloutRuns {
  const handleOf = (pipeline: string) => client.workflow.getHandle(rolloutWorkflowId(pipeline));
  return {
    start: (pipeline, rollout) =>
      within(client, async () => {
        const args: [RolloutInput] = [{ rollout }];
        const options = {
          taskQueue: CONTROL_QUEUE,
          workflowId: rolloutWorkflowId(pipeline),
          args,
          workflowIdConflictPolicy: 'FAIL' as const,
        };
        await client.workflow.start(ROLLOUT_WORKFLOW, options).catch(async (error: unknown) => {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          // The one before is just ending.
          await handleOf(pipeline).executeUpdate(RolloutUpdate.start, { args: [{ rollout }] });
        });
      }),
    tell: (pipeline, update, command) =>
      within(client, async () => void (await handleOf(pipeline).executeUpdate(RolloutUpdate[update], { args: [command] }))),
  };
}
