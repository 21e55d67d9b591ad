/** Pumps the source of a backfill into the inbox, a few batches ahead of what is settled, from where the row says it stands. */
import { NotRunningError, type BackfillRow, type Store } from '@autoflow/store';
import { openSource, type SourceAccess } from '../sources/index.js';
import type { Versions } from '../versions.js';
import { Pace, REAL_TIME, type Clock } from './pace.js';
import { cutPortion, intakeOf, PeekableRecords } from './portions.js';

export interface PumpPorts {
  readonly access: SourceAccess;
  readonly store: Pick<Store, 'backfills' | 'listen'>;
  readonly versions: Versions;
  readonly clock?: Clock;
}

/** Portions that wait while as many as may be open are: feeders must never wait for the source. */
const AHEAD = 2;
/** Progress that nobody has told of is seen at the latest after so long. */
const POLL_MS = 1_000;

/** True when the source is exhausted and every record of it has its outcome; false when the time is over or it was paused. */
export async function pump(backfill: BackfillRow, budgetMs: number, ports: PumpPorts, signal: AbortSignal): Promise<boolean> {
  if (backfill.endedAt !== undefined) return true;
  const changes = await changesOf(ports, signal);
  try {
    return await pumpInto(backfill, budgetMs, ports, changes, signal);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    // A row can be paused without a signal to the workflow: then it waits here.
    while ((await ports.store.backfills.get(backfill.id))?.state === 'paused') await changes.next();
    return false;
  } finally {
    await changes.close();
  }
}

async function pumpInto(
  backfill: BackfillRow,
  budgetMs: number,
  { store, versions, access, clock = REAL_TIME }: PumpPorts,
  changes: Changes,
  signal: AbortSignal,
): Promise<boolean> {
  const { id, pipeline, version, limit = Infinity, rate = Infinity } = backfill;
  const startedAt = clock.now();
  const pace = new Pace(rate, clock);
  const { release } = await versions.resolve(pipeline, version);
  const source = await openSource(backfill.source, release.spec, access);
  await announceTotal(backfill, await source.total(), store);
  const records = new PeekableRecords(source.records(backfill.cursor)[Symbol.asyncIterator]());
  let cursor = backfill.cursor;
  try {
    while (cursor < limit) {
      const resolved = await versions.resolve(pipeline, version);
      const bounds = boundsOf(backfill, resolved.version.topology.batch);
      await untilSettled(id, bounds.records * (backfill.concurrency + AHEAD), store, changes);
      await pace.turn(signal);
      // Not before it has pumped something: a budget that is too small must not keep it where it is.
      if (cursor > backfill.cursor && clock.now() - startedAt > budgetMs) return false;
      const portion = await cutPortion(records, { ...bounds, records: Math.min(bounds.records, limit - cursor) });
      if (portion.length === 0) break;
      const next = cursor + portion.length;
      await store.backfills.put({ id, from: cursor, cursor: next, records: intakeOf(portion, resolved.release.spec, id) });
      pace.passed(portion.length);
      records.drop(portion.length);
      cursor = next;
    }
    await store.backfills.setTotal(id, cursor);
    await untilSettled(id, 1, store, changes);
    return true;
  } finally {
    await records.close();
  }
}

/** One batch, or what comes in a second. */
function boundsOf({ batchRecords, rate = Infinity }: BackfillRow, batch: { records: number; bytes: number }) {
  return { records: Math.max(1, Math.min(batchRecords ?? batch.records, Math.ceil(rate))), bytes: batch.bytes };
}

async function announceTotal(backfill: BackfillRow, total: number | undefined, store: PumpPorts['store']): Promise<void> {
  if (total !== undefined && backfill.progress.total === undefined)
    await store.backfills.setTotal(backfill.id, Math.min(total, backfill.limit ?? total));
}

/** Resolves when fewer than so many of its records are without an outcome. */
async function untilSettled(id: string, fewer: number, store: PumpPorts['store'], changes: Changes): Promise<void> {
  for (;;) {
    const row = await store.backfills.get(id);
    if (row === undefined || row.state !== 'running') throw new NotRunningError(id, row?.state ?? 'missing');
    if (row.progress.read - row.progress.settled < fewer) return;
    await changes.next();
  }
}

interface Changes {
  /** Resolves at the next change; rejects when it is aborted. */
  next(): Promise<void>;
  close(): Promise<void>;
}

/** Outcomes, and what is done to backfills. A change that comes between two calls of `next` is not missed. */
async function changesOf({ store }: PumpPorts, signal: AbortSignal): Promise<Changes> {
  let wake = () => {};
  let changed = new Promise<void>((resolve) => (wake = resolve));
  const heard = () => wake();
  const stops = [await store.listen('autoflow_outcomes', heard), await store.listen('autoflow_backfills', heard)];
  signal.addEventListener('abort', heard);
  return {
    next: async () => {
      const timer = setTimeout(heard, POLL_MS);
      await changed;
      clearTimeout(timer);
      signal.throwIfAborted();
      changed = new Promise<void>((resolve) => (wake = resolve));
    },
    close: async () => {
      signal.removeEventListener('abort', heard);
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}
