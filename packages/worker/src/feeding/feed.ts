/** Feeds a backfill: source → batches → executions, a bounded number at a time, from where the row says it stands. */
import type { Client } from '@temporalio/client';
import type { RecordState } from '@autoflow/pipeline';
import {
  NotRunningError,
  StaleCursorError,
  StaleVersionError,
  type BackfillRow,
  type BatchRow,
  type BatchStore,
  type Store,
} from '@autoflow/store';
import type { ExecutionActivities, ExecutionArgument } from '@autoflow/topology';
import { openSource, type SourceAccess, type SourceRecord } from '../sources/index.js';
import { executionArgument, startingMemory, type ResolvedVersion, type Versions } from '../versions.js';
import { admitAll, cutBatch, PeekableRecords, type Bounds } from './batcher.js';
import { OpenExecutions } from './executions.js';

export interface FeedPorts {
  readonly access: SourceAccess;
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
  const executions = new OpenExecutions(backfill, ports, signal);
  try {
    await executions.adopt();
    return await feedInto(executions, backfill, budgetMs, ports, signal);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    await untilNotPaused(backfill.id, ports, signal);
    return false;
  } finally {
    await executions.started();
  }
}

async function feedInto(
  executions: OpenExecutions,
  backfill: BackfillRow,
  budgetMs: number,
  ports: FeedPorts,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + budgetMs;
  const { release } = await ports.versions.resolve(backfill.pipeline, backfill.version);
  const source = await openSource(backfill.source, release.spec, ports.access);
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
      const opened = await openNext(backfill, cursor, records, ports);
      if (opened === undefined) break;
      if (opened.row.state === 'open') executions.start(opened.row, opened.argument);
      cursor += opened.consumed;
    }
    await executions.drained();
    await ports.store.backfills.setTotal(backfill.id, cursor);
    return true;
  } finally {
    await records.close();
  }
}

interface Opened {
  readonly row: BatchRow;
  readonly argument: ExecutionArgument;
  /** Records of the source. */
  readonly consumed: number;
}

/**
 * Opens the next batch of the source with the version that is stable when it is committed; undefined when the source is exhausted. Reading
 * takes its time, and the pointer may move meanwhile: then the same records are cut and admitted anew, as the version that is stable now has it.
 */
async function openNext(backfill: BackfillRow, cursor: number, records: PeekableRecords, ports: FeedPorts): Promise<Opened | undefined> {
  for (;;) {
    const resolved = await ports.versions.resolve(backfill.pipeline, backfill.version);
    const cut = await cutBatch(records, boundsOf(backfill, cursor, resolved));
    if (cut.length === 0) return undefined;
    try {
      const opened = await openBatch(backfill, cursor, cut, resolved, ports);
      records.drop(cut.length);
      return { ...opened, consumed: cut.length };
    } catch (error) {
      if (!(error instanceof StaleVersionError)) throw error;
    }
  }
}

function boundsOf({ batchRecords, limit = Infinity }: BackfillRow, cursor: number, { version }: ResolvedVersion): Bounds {
  const { records, bytes } = version.topology.batch;
  return { records: Math.min(batchRecords ?? records, limit - cursor), bytes };
}

/** Commits the batch, so that from here on it is in the books whatever happens; a record that the scope knows already is not run again. */
async function openBatch(
  backfill: BackfillRow,
  from: number,
  cut: readonly SourceRecord[],
  resolved: ResolvedVersion,
  { store, batches }: FeedPorts,
): Promise<{ row: BatchRow; argument: ExecutionArgument }> {
  const { pipeline, scope } = backfill;
  const { records, twins } = admitAll(cut, resolved.release.spec, backfill.id);
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
    followsStable: backfill.version === undefined,
    backfill: { id: backfill.id, from, cursor: from + cut.length },
  });
  if (row.ref.ref !== input.ref) throw new StaleCursorError(backfill.id, from, from);
  const left = known.length === 0 ? records : withoutKeys(records, new Set(known));
  const ref = left === records || row.state !== 'open' ? row.ref : await batches.write({ ...where, label: 'admitted' }, left);
  return { row, argument: executionArgument(resolved, scope, id, ref) };
}

function withoutKeys(records: readonly RecordState[], keys: ReadonlySet<string>): readonly RecordState[] {
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
