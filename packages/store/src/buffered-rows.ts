import { StoreError } from './errors.js';

const KEPT_STATEMENTS = 20;
const UNBOUNDED = { bytes: 0, sizeOf: () => 0 };

/** Rows that wait in memory to be written in batches, as many as is bounded: what comes beyond is given up. */
export class BufferedRows<Row> {
  private rows: Row[] = [];
  private refused = 0;
  private bytes = 0;
  constructor(
    private readonly write: (rows: readonly Row[]) => Promise<void>,
    /** Of one statement; so many statements are kept while the database is away. */
    private readonly maxRows: number,
    private readonly drop: (rows: number, why: string) => void,
    /** Kept at most; default: whatever the rows take. */
    private readonly memory: { readonly bytes: number; readonly sizeOf: (row: Row) => number } = UNBOUNDED,
  ) {}

  /** Answers how many rows wait. */
  push(row: Row): number {
    const size = this.memory.sizeOf(row);
    if (this.rows.length >= this.maxRows * KEPT_STATEMENTS || this.bytes + size > this.memory.bytes) this.refused++;
    else {
      this.rows.push(row);
      this.bytes += size;
    }
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
      this.bytes -= batch.reduce((sum, row) => sum + this.memory.sizeOf(row), 0);
    }
  }

  /** One row that the database refuses must not take the others along. */
  private async singly(batch: readonly Row[], error: unknown): Promise<void> {
    for (const row of refused(error) ? batch : []) {
      await this.write([row]).catch((error: unknown) => refused(error) && this.drop(1, error.message));
    }
  }

  clear(): number {
    this.bytes = 0;
    return this.rows.splice(0).length;
  }
}

/** False is never answered: what may pass is thrown, so that the rows are kept. */
function refused(error: unknown): error is StoreError {
  if (error instanceof StoreError && error.code === 'STORE_FAILED') return true;
  throw error;
}
