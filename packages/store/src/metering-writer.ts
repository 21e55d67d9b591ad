/** Metering off the hot path: rows are kept in memory and written in batches. */
import type { Log } from './database.js';
import { StoreError } from './errors.js';
import type { InvocationRow, MeteringStore, PoolUsageRow } from './model.js';

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

const KEPT_STATEMENTS = 20;

export function createMeteringWriter({ store, flushMs = 1_000, maxRows = 500, log = () => {} }: MeteringWriterOptions): MeteringWriter {
  let dropped = 0;
  const drop = (rows: number, why: string) => {
    dropped += rows;
    log('warn', 'measurements were dropped', { rows, dropped, why });
  };
  const invocations = new Buffered<InvocationRow>((rows) => store.writeInvocations(rows), maxRows, drop);
  const poolUsage = new Buffered<PoolUsageRow>((rows) => store.writePoolUsage(rows), maxRows, drop);
  let flushing: Promise<void> = Promise.resolve();

  /** One at a time, so that a slow database is not asked for more at once. */
  const flush = () => (flushing = flushing.catch(() => {}).then(async () => void (await invocations.flush(), await poolUsage.flush())));
  const inBackground = () =>
    void flush().catch((error: Error) => log('debug', 'measurements wait for the database', { error: error.message }));
  const timer = setInterval(inBackground, flushMs).unref();
  const take = <Row>(buffer: Buffered<Row>, row: Row) => {
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

class Buffered<Row> {
  private rows: Row[] = [];
  private refused = 0;
  constructor(
    private readonly write: (rows: readonly Row[]) => Promise<void>,
    private readonly maxRows: number,
    private readonly drop: (rows: number, why: string) => void,
  ) {}

  /** Answers how many rows wait. */
  push(row: Row): number {
    if (this.rows.length < this.maxRows * KEPT_STATEMENTS) this.rows.push(row);
    else this.refused++;
    return this.rows.length;
  }

  /** Rows leave the buffer only when they are written: rows written twice are recognised by the store. */
  async flush(): Promise<void> {
    if (this.refused > 0) this.drop(this.refused, 'memory for waiting rows is full');
    this.refused = 0;
    while (this.rows.length > 0) {
      const batch = this.rows.slice(0, this.maxRows);
      await this.write(batch).catch((error: unknown) => this.singly(batch, error));
      this.rows.splice(0, batch.length);
    }
  }

  /** One row that the database refuses must not take the others along. */
  private async singly(batch: readonly Row[], error: unknown): Promise<void> {
    for (const row of refused(error) ? batch : []) {
      await this.write([row]).catch((error: unknown) => refused(error) && this.drop(1, error.message));
    }
  }

  clear(): number {
    return this.rows.splice(0).length;
  }
}

/** False is never answered: what may pass is thrown, so that the rows are kept. */
function refused(error: unknown): error is StoreError {
  if (error instanceof StoreError && error.code === 'STORE_FAILED') return true;
  throw error;
}
