/** Metering off the hot path: rows are kept in memory and written in batches. */
import { BufferedRows } from './buffered-rows.js';
import type { Log } from './database.js';
import type { InvocationRow, MeteringStore, PoolUsageRow } from './metering.model.js';

export interface MeteringWriterOptions {
  readonly store: Pick<MeteringStore, 'writeInvocations' | 'writePoolUsage'>;
  /** Rows wait at most so long (default 1,000). */
  readonly flushMs?: number;
  /** Rows of one statement (default 500). At most 20 times as many are kept while the database is away. */
  readonly maxRows?: number;
  readonly log?: Log;
}

export interface MeteringWriter {
  /** Returns at once; never throws. */
  invocation(row: InvocationRow): void;
  poolUsage(row: PoolUsageRow): void;
  /** Resolves when everything taken so far is written; rejects with the store's error, and keeps the rows. */
  flush(): Promise<void>;
  /** Flushes once more and stops; what cannot be written then is dropped and counted. */
  close(): Promise<void>;
  /** Rows given up: the newest, while the database was away and memory full, and such as the database refuses. */
  readonly dropped: number;
}

export function createMeteringWriter({ store, flushMs = 1_000, maxRows = 500, log = () => {} }: MeteringWriterOptions): MeteringWriter {
  let dropped = 0;
  const drop = (rows: number, why: string) => {
    dropped += rows;
    log('warn', 'measurements were dropped', { rows, dropped, why });
  };
  const invocations = new BufferedRows<InvocationRow>((rows) => store.writeInvocations(rows), maxRows, drop);
  const poolUsage = new BufferedRows<PoolUsageRow>((rows) => store.writePoolUsage(rows), maxRows, drop);
  let flushing: Promise<void> = Promise.resolve();

  /** One at a time, so that a slow database is not asked for more at once. */
  const flush = () => (flushing = flushing.catch(() => {}).then(async () => void (await invocations.flush(), await poolUsage.flush())));
  const inBackground = () =>
    void flush().catch((error: Error) => log('debug', 'measurements wait for the database', { error: error.message }));
  const timer = setInterval(inBackground, flushMs).unref();
  const take = <Row>(buffer: BufferedRows<Row>, row: Row) => {
    if (buffer.push(row) === maxRows) inBackground();
  };

  return {
    invocation: (row) => take(invocations, row),
    poolUsage: (row) => take(poolUsage, row),
    flush,
    get dropped() {
      return dropped;
    },
    async close() {
      clearInterval(timer);
      await flush().catch((error: Error) => drop(invocations.clear() + poolUsage.clear(), error.message));
    },
  };
}
