/**
 * An execution settles its own records; one that was terminated cannot. Of the direct door, where nothing of it waits in the inbox, the batches
 * left open are settled here.
 */
import type { Client } from '@temporalio/client';
import type { BatchRow, Store } from '@autoflow/store';
import type { ExecutionActivities } from '@autoflow/topology';
import { isUnderWay, statusOf } from './feeding/starting.js';
import type { Log } from './log.js';
import { repeating } from './repeating.js';

const MINUTE_MS = 60_000;
/** What was opened a moment ago is about to be started, or settled by whoever watches it. */
const FRESH_MS = 5 * MINUTE_MS;

interface Ports {
  readonly store: Pick<Store, 'ledger'>;
  readonly client: Client;
  readonly settle: ExecutionActivities['settle'];
  readonly log: Log;
}

/** Once now, then every minute; any number of processes may do it. */
export function startSettlingAbandoned(ports: Ports): { close(): Promise<void> } {
  return repeating('settling batches whose execution has ended', MINUTE_MS, () => settleAbandoned(ports), ports.log);
}

/** Every record of an open batch whose execution has ended, or will never be started, is cancelled. */
async function settleAbandoned(ports: Ports): Promise<void> {
  const rows = await ports.store.ledger.openBatches({ openForMs: FRESH_MS });
  const old = rows.filter(({ arm }) => arm === undefined);
  for (const row of old)
    await settleIfAbandoned(row, ports).catch((error: unknown) =>
      // The others must not wait for one that cannot be settled.
      ports.log('warn', 'a batch whose execution has ended could not be settled', { batch: row.id, error: String(error) }),
    );
}

async function settleIfAbandoned(row: BatchRow, { store, client, settle, log }: Ports): Promise<void> {
  const { pipeline, version, release, scope, id: batchId, ref: batch, executionId } = row;
  const status = await statusOf(executionId, client);
  // The execution may have settled them just before it ended.
  if (isUnderWay(status) || (await store.ledger.batch(batchId))?.state !== 'open') return;
  const { counts } = await settle({
    execution: { pipeline, version, release, scope, batchId, batch },
    outputs: [],
    cancelled: true,
    collect: false,
  });
  log('warn', 'a batch was left open by its execution; its records are cancelled', {
    pipeline,
    batch: batchId,
    executionId,
    status,
    counts,
  });
}
