import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { ROLLOUT_WORKFLOW, type RolloutInput, RolloutUpdate, rolloutWorkflowId } from '@autoflow/workflows';
import type { RolloutRuns } from '../ports.js';
import { within } from './within.js';

export function rolloutRuns(client: Client): RolloutRuns {
  const handleOf = (pipeline: string) => client.workflow.getHandle(rolloutWorkflowId(pipeline));
  const start = async (pipeline: string, rollout: string): Promise<void> => {
    const args: [RolloutInput] = [{ rollout }];
    const options = { taskQueue: CONTROL_QUEUE, workflowId: rolloutWorkflowId(pipeline), args };
    try {
      await client.workflow.start(ROLLOUT_WORKFLOW, { ...options, workflowIdConflictPolicy: 'FAIL' });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      try {
        // The one before is just ending.
        await handleOf(pipeline).executeUpdate(RolloutUpdate.start, { args: [{ rollout }] });
      } catch (gone) {
        if (!(gone instanceof WorkflowNotFoundError)) throw gone;
        await start(pipeline, rollout);
      }
    }
  };
  return {
    start: (pipeline, rollout) => within(client, () => start(pipeline, rollout)),
    tell: (pipeline, update, command) =>
      within(client, async () => void (await handleOf(pipeline).executeUpdate(RolloutUpdate[update], { args: [command] }))),
  };
}
