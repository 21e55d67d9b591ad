import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { CONTROL_QUEUE, ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import { ROLLOUT_WORKFLOW, RolloutUpdate, rolloutWorkflowId, type RolloutInput } from '@autoflow/workflows';

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

/** Starts rollouts in the name of AutoFlow: they go as far as the autonomy of the pipeline lets them, for what its objective says. */
export function rolloutStarter({ store, client }: { readonly store: Pick<Store, 'rollouts' | 'settings'>; readonly client: Client }) {
  return {
    async start({ pipeline, version, reason }: { readonly pipeline: string; readonly version: string; readonly reason: string }) {
      // Asked for again, it is the one there is.
      const id = `ro-${createHash('sha256').update(`${pipeline}/${version}/${reason}`).digest('hex').slice(0, 12)}`;
      const metric = (await store.settings.get(pipeline))?.objective?.minimise ?? ROLLOUT_DEFAULTS.metric;
      const settings: RolloutSettings = { ...ROLLOUT_DEFAULTS, metric };
      await store.rollouts.create({ id, pipeline, version, own: true, settings }, { actor: 'optimizer', reason });
      await runRollout(client, pipeline, id);
      return { rollout: id };
    },
  };
}
