/** What a feeder and an execution would do with the records that wait, without either. */
import { randomUUID } from 'node:crypto';
import type { Outcome } from '@autoflow/pipeline';
import { BUCKETS, type BatchRow, type Store } from '@autoflow/store';
import { RELEASE } from './parcels.js';

/** Takes what waits in the scope into one open batch. */
export async function claimAll(store: Store, scope: string): Promise<{ readonly batch: BatchRow; readonly keys: readonly string[] }> {
  const stream = (await store.feeder.streams()).find((one) => one.scope === scope)!;
  const id = randomUUID();
  let keys: readonly string[] = [];
  const batch = await store.feeder.claim(
    {
      stream,
      buckets: [0, BUCKETS - 1],
      bounds: { records: 10_000, bytes: 100_000_000 },
      batch: { id, version: 'v1', release: RELEASE, executionId: `parcels/${scope}/${id}`, memoryMb: {} },
      arm: 'pinned',
      probe: false,
      leaseMs: 60_000,
    },
    async (records) => {
      keys = records.map(({ key }) => key);
      return { ref: `file:${id}`, bytes: 1, counts: { records: keys.length, live: keys.length, filtered: 0, dying: 0 } };
    },
  );
  return { batch: batch!, keys };
}

export async function complete(store: Store, { batch, keys }: Awaited<ReturnType<typeof claimAll>>): Promise<void> {
  const outcomes = keys.map((key): Outcome => ({ state: 'completed', key, output: { id: key, booked: true, town: 'Delft' } }));
  await store.ledger.close({ batchId: batch.id, outcomes, inputs: new Map() });
}
