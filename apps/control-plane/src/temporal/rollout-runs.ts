import type { Client } from '@temporalio/client';
import { RolloutUpdate, rolloutWorkflowId } from '@autoflow/workflows';
import { runRollout } from '@autoflow/workflows/runs';
import type { RolloutRuns } from '../ports.js';
import { within } from './within.js';

export function rolloutRuns(client: Client): RolloutRuns {
  return {
    start: (pipeline, rollout) => within(client, () => runRollout(client, pipeline, rollout)),
    tell: (pipeline, update, command) =>
      within(
        client,
        async () =>
          void (await client.workflow.getHandle(rolloutWorkflowId(pipeline)).executeUpdate(RolloutUpdate[update], { args: [command] })),
      ),
  };
}
