/** A rollout is a row first and then a workflow: whoever made the row may have died in between, or found Temporal away. */
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { ROLLOUT_WORKFLOW, RolloutUpdate, rolloutWorkflowId, type RolloutInput } from '@autoflow/workflows';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';

const EVERY_MS = 15_000;
/** Whoever made the row a moment ago is about to start it. */
const FRESH_MS = 10_000;

interface Ports {
  readonly store: Pick<Store, 'rollouts'>;
  readonly client: Client;
  readonly log: Log;
}

/** Any number of processes may do it: a rollout that runs is not started twice. */
export function startRolloutRecovery(ports: Ports): { close(): Promise<void> } {
  return repeating('starting rollouts that nobody runs', EVERY_MS, () => recoverRollouts(ports), ports.log);
}

async function recoverRollouts({ store, client, log }: Ports): Promise<void> {
  const rows = await store.rollouts.active();
  for (const { id, pipeline, createdAt } of rows) {
    if (Date.now() - createdAt.getTime() < FRESH_MS || (await runs(client, pipeline))) continue;
    await startRollout(client, pipeline, id);
    log('warn', 'a rollout that nobody ran was started', { rollout: id, pipeline });
  }
}

/** Resolves when a run has taken it up; one that has it already does nothing. */
export async function startRollout(client: Client, pipeline: string, rollout: string): Promise<void> {
  const startWorkflowOperation = new WithStartWorkflowOperation(ROLLOUT_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: rolloutWorkflowId(pipeline),
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{}] as [RolloutInput],
  });
  await client.workflow.executeUpdateWithStart(RolloutUpdate.start, { args: [{ rollout }], startWorkflowOperation });
}

async function runs(client: Client, pipeline: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(rolloutWorkflowId(pipeline)).describe()).status.name === 'RUNNING';
  } catch {
    return false;
  }
}
