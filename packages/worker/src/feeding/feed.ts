/** Feeds a backfill: source → batches → executions, a bounded number at a time, from where the row says it stands. */
import type { Client } from '@temporalio/client';
import { NotRunningError, StaleCursorError, type BackfillRow, type BatchRow, type BatchStore, type Store } from '@autoflow/store';
import type { ExecutionActivities, ExecutionArgument } from '@autoflow/topology';
import { openSource } from '../sources/index.js';
import { executionArgument, startingMemory, type ResolvedVersion, type Versions } from '../versions.js';
import { nextBatch, PeekableRecords, type CutBatch } from './batcher.js';
import { OpenExecutions } from './executions.js';

export interface FeedPorts {
  readonly secret: (name: string) => string | undefined;
  readonly store: Pick<Store, 'backfills' | 'ledger' | 'listen'>;
  readonly batches: BatchStore;
  readonly versions: Versions;
  readonly client: Client;
  readonly settle: ExecutionActivities['settle'];
  /** Whether the server knows our search attributes. */
  readonly indexed: boolean;
}

/** True when the source is exhausted and every record that was fed has its outcome; false when the time is over or it was paused. */
export async function feed(backfill: BackfillRow, budgetMs: number, ports: FeedPorts, signal: AbortSignal): Promise<boolean> {
  if (backfill.endedAt !== undefined) return true;
  const deadline = performance.now() + budgetMs;
  const executions = new OpenExecutions(backfill, ports, signal);
  await executions.adopt();
  const source = openSource(
    backfill.source,
    (await ports.versions.resolve(backfill.pipeline, backfill.version)).release.spec,
    ports.secret,
  );
  await announceTotal(backfill, await source.total(), ports);
  const records = new PeekableRecords(source.records(backfill.cursor)[Symbol.asyncIterator]());
  const limit = backfill.limit ?? Infinity;
  let cursor = backfill.cursor;
  try {
    for (; cursor < limit;) {
      await executions.room();
      signal.throwIfAborted();
      // Not before it has fed something: a budget that is too small must not keep it where it is.
      if (cursor > backfill.cursor && performance.now() > deadline) return false;
      const resolved = await ports.versions.resolve(backfill.pipeline, backfill.version);
      const { batch } = resolved.version.topology;
      const cut = await nextBatch(records, resolved.release.spec, {
        records: Math.min(backfill.batchRecords ?? batch.records, limit - cursor),
        bytes: batch.bytes,
      });
      if (cut === undefined) break;
      const opened = await openBatch(backfill, cursor, cut, resolved, ports);
      if (opened.row.state === 'open') executions.start(opened.row, opened.argument);
      cursor += cut.records.length + cut.twins.length;
    }
    await executions.drained();
    await ports.store.backfills.setTotal(backfill.id, cursor);
    return true;
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    await untilNotPaused(backfill.id, ports, signal);
    return false;
  } finally {
    await records.close();
  }
}

/** Commits the batch, so that from here on it is in the books whatever happens; a record that the scope knows already is not run again. */
async function openBatch(
  backfill: BackfillRow,
  from: number,
  { records, twins }: CutBatch,
  resolved: ResolvedVersion,
  { store, batches }: FeedPorts,
): Promise<{ row: BatchRow; argument: ExecutionArgument }> {
  const { pipeline, scope } = backfill;
  const id = `${backfill.id}.${from}`;
  const where = { pipeline, batchId: id };
  const input = await batches.write({ ...where, label: 'input' }, records);
  const { row, known } = await store.ledger.open({
    batch: {
      id,
      pipeline,
      version: resolved.version.name,
      release: resolved.version.release,
      scope,
      executionId: `${pipeline}/${scope}/${id}`,
      ref: input,
      memoryMb: startingMemory(resolved.plans),
    },
    records: [...records, ...twins],
    replace: false,
    backfill: { id: backfill.id, from, cursor: from + records.length + twins.length },
  });
  if (row.ref.ref !== input.ref) throw new StaleCursorError(backfill.id, from, from);
  const left = known.length === 0 ? records : withoutKeys(records, new Set(known));
  const ref = left === records || row.state !== 'open' ? row.ref : await batches.write({ ...where, label: 'admitted' }, left);
  return { row, argument: executionArgument(resolved, scope, id, ref) };
}

function withoutKeys(records: CutBatch['records'], keys: ReadonlySet<string>): CutBatch['records'] {
  return records.filter(({ key }) => !keys.has(key)).map((record, index) => ({ ...record, index }));
}

async function announceTotal(backfill: BackfillRow, total: number | undefined, { store }: FeedPorts): Promise<void> {
  if (total !== undefined && backfill.progress.total === undefined)
    await store.backfills.setTotal(backfill.id, Math.min(total, backfill.limit ?? total));
}

/** A row can be paused without a signal to the workflow: then feeding waits here, and what is under way goes on. */
async function untilNotPaused(id: string, { store }: FeedPorts, signal: AbortSignal): Promise<void> {
  let wake = () => {};
  const stop = await store.listen('autoflow_backfills', () => wake());
  const abort = () => wake();
  signal.addEventListener('abort', abort);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      if ((await store.backfills.get(id))?.state !== 'paused') return;
      signal.throwIfAborted();
      await changed;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    await stop();
  }
}
