/** A backfill is a row first and then a workflow: whoever made the row may have died in between. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { BACKFILL_WORKFLOW, backfillWorkflowId, type BackfillInput } from '@autoflow/workflows';
import type { Log } from './log.js';
import { repeating } from './repeating.js';

const MINUTE_MS = 60_000;
/** Whoever made the row a moment ago is about to start it. */
const FRESH_MS = 10_000;

interface Ports {
  readonly store: Pick<Store, 'backfills'>;
  readonly client: Client;
  readonly log: Log;
}

/** Once now, then every minute; any number of processes may do it. */
export function startBackfillRecovery(ports: Ports): { close(): Promise<void> } {
  return repeating('starting backfills that nobody runs', MINUTE_MS, () => recoverBackfills(ports), ports.log);
}

/** Every backfill whose row says `running` has a workflow that runs: one that has none, or whose workflow was terminated, gets one. */
async function recoverBackfills({ store, client, log }: Ports): Promise<void> {
  const rows = await store.backfills.running();
  for (const { id, pipeline } of rows.filter(({ createdAt }) => Date.now() - createdAt.getTime() > FRESH_MS))
    if (await start(id, client)) log('warn', 'a backfill that nobody ran was started', { backfill: id, pipeline });
}

/** False when it runs. */
async function start(backfillId: string, client: Client): Promise<boolean> {
  const args: [BackfillInput] = [{ backfillId }];
  try {
    await client.workflow.start(BACKFILL_WORKFLOW, { taskQueue: CONTROL_QUEUE, workflowId: backfillWorkflowId(backfillId), args });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
