/** A rollout is a row first and then a workflow: whoever made the row may have died in between, or found Temporal away. */
import type { Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { rolloutWorkflowId } from '@autoflow/workflows';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';
import { runRollout } from './start.js';

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
    await runRollout(client, pipeline, id);
    log('warn', 'a rollout that nobody ran was started', { rollout: id, pipeline });
  }
}

async function runs(client: Client, pipeline: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(rolloutWorkflowId(pipeline)).describe()).status.name === 'RUNNING';
  } catch {
    return false;
  }
}
