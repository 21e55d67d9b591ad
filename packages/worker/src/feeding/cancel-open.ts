/** Ends what a cancelled backfill has open. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BackfillRow, BatchRow, Store } from '@autoflow/store';
import type { ExecutionActivities } from '@autoflow/topology';
import { forestall } from './forestall.js';
import { FORESTALLED, isUnderWay, NEVER_STARTED, statusOf } from './starting.js';

export interface CancelPorts {
  readonly store: Pick<Store, 'backfills' | 'ledger'>;
  readonly client: Client;
  readonly settle: ExecutionActivities['settle'];
}

const LOOK_MS = 200;

/** Resolves when every record of the backfill has an outcome: what waits is cancelled, and so are the executions. Its row has ended before. */
export async function cancelAll({ id }: BackfillRow, ports: CancelPorts, signal: AbortSignal): Promise<void> {
  for (const asked = new Set<string>(); ;) {
    await ports.store.backfills.cancelWaiting(id);
    const open = await ports.store.ledger.openBatches({ backfill: id });
    if (open.length === 0) return;
    await Promise.all(open.map((row) => cancelOne(row, asked, ports)));
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** An execution settles its own records. One that was terminated, timed out or never came to be did not. */
async function cancelOne(row: BatchRow, asked: Set<string>, { client, store, settle }: CancelPorts): Promise<void> {
  const status = await statusOf(row.executionId, client);
  if (isUnderWay(status)) {
    if (asked.has(row.id)) return;
    await client.workflow
      .getHandle(row.executionId)
      .cancel()
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    asked.add(row.id);
    return;
  }
  // Started a moment ago: it is cancelled at the next look.
  if ((status === NEVER_STARTED || status === FORESTALLED) && !(await forestall(row, client))) return;
  if ((await store.ledger.batch(row.id))?.state !== 'open') return;
  const { pipeline, version, release, scope, id: batchId, ref: batch } = row;
  await settle({ execution: { pipeline, version, release, scope, batchId, batch }, outputs: [], cancelled: true, collect: false });
}
