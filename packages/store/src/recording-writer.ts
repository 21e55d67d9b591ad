/** Recordings off the hot path: a sample by key, bounded in every respect; what would be too much is not recorded. */
import { samplePosition } from '@autoflow/topology';
import { BufferedRows } from './buffered-rows.js';
import type { Log } from './database.js';
import type { RecordedCalls, RecordedInput, RecordingStore } from './recordings.model.js';

export interface RecordingWriterOptions {
  readonly store: Pick<RecordingStore, 'writeInputs' | 'writeCalls'>;
  /** Of the records, by key, so that the same are recorded at every stage (default 0.01). */
  readonly share?: number;
  /** Of a pipeline's inputs, and of a function's calls, recorded by this process in a minute at most (default 600). */
  readonly perMinute?: number;
  /** Rows wait at most so long (default 1,000). */
  readonly flushMs?: number;
  readonly log?: Log;
}

export interface RecordingWriter {
  readonly share: number;
  /** These return at once and never throw. */
  input(row: RecordedInput): void;
  calls(row: RecordedCalls): void;
  /** Resolves when everything taken so far is written; rejects with the store's error, and keeps the rows. */
  flush(): Promise<void>;
  /** Flushes once more and stops; what cannot be written then is given up. */
  close(): Promise<void>;
}

/** Bytes of one row, and of all that wait. */
const LARGEST = 256 * 1024;
const WAITING = 16 * 1024 * 1024;
const ROWS = 100;

export function createRecordingWriter({
  store,
  share = 0.01,
  perMinute = 600,
  flushMs = 1_000,
  log = () => {},
}: RecordingWriterOptions): RecordingWriter {
  const drop = (rows: number, why: string) => log('debug', 'recordings were given up', { rows, why });
  const inputs = new BufferedRows<RecordedInput>((rows) => store.writeInputs(rows), ROWS, drop, { bytes: WAITING, sizeOf: sizeOfInput });
  const calls = new BufferedRows<RecordedCalls>((rows) => store.writeCalls(rows), ROWS, drop, { bytes: WAITING, sizeOf: sizeOfCalls });
  const quota = new Quota(share, perMinute);
  let flushing: Promise<void> = Promise.resolve();
  const flush = () => (flushing = flushing.catch(() => {}).then(async () => void (await inputs.flush(), await calls.flush())));
  const timer = setInterval(() => {
    void flush().catch((error: Error) => log('debug', 'recordings wait for the database', { error: error.message }));
  }, flushMs).unref();
  return {
    share,
    input(row) {
      if (quota.grants(row.pipeline, row.key) && sizeOfInput(row) <= LARGEST) inputs.push(row);
    },
    calls(row) {
      if (quota.grants(`${row.function} ${row.node}`, row.key) && sizeOfCalls(row) <= LARGEST) calls.push(row);
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch((error: Error) => drop(inputs.clear() + calls.clear(), error.message));
    },
  };
}

const sizeOfInput = ({ record }: RecordedInput): number => JSON.stringify(record).length;
const sizeOfCalls = ({ calls }: RecordedCalls): number => calls.length;

/** From half of a minute's quota on the share gets ever smaller: those who still get in are the same everywhere, those at the front of the sample. */
class Quota {
  private used = new Map<string, number>();
  private until = 0;
  constructor(
    private readonly share: number,
    private readonly perMinute: number,
  ) {}

  grants(of: string, key: string): boolean {
    const now = performance.now();
    if (now >= this.until) {
      this.used = new Map();
      this.until = now + 60_000;
    }
    const used = this.used.get(of) ?? 0;
    if (samplePosition(key) >= this.share * Math.min(1, 2 - (2 * used) / this.perMinute)) return false;
    this.used.set(of, used + 1);
    return true;
  }
}
