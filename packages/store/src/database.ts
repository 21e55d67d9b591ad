/** The one pool of the store: statements and transactions with typed errors. */
import pg from 'pg';
import { placeOf, storeError, wasSacrificed } from './connection.js';
import { storable } from './text.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;

/** A pool or the client of one transaction. */
export interface Sql {
  /** `binary`: columns come as the server holds them, which for bytes is half as long as text; other types are not understood then. */
  query<Row extends object>(text: string, values?: readonly unknown[], format?: 'text' | 'binary'): Promise<Row[]>;
}

/**
 * A statement that takes longer than 30 seconds is ended, and rejects with `StoreUnavailableError`: a hung one must not hold its connection, and
 * whoever waits for it, for ever. What may rightly take longer goes through `patient`.
 */
export interface Database extends Sql {
  /** Runs `work` in one transaction; when Postgres aborted it for another one's sake, again (three times at most), so `work` must not have other effects. */
  transaction<T>(work: (sql: Sql) => Promise<T>, mode?: 'read committed' | 'repeatable read read only'): Promise<T>;
  /** Rejects when the server does not answer within 5 seconds; other statements wait for it. */
  ping(): Promise<void>;
  /** The same without a limit of time: for migrations, reports and cleaning up. */
  readonly patient: Pick<Database, 'query' | 'transaction'>;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 30_000;
/** A server that hangs does not end its statements either: later, this side gives up. */
const MARGIN_MS = 5_000;
/** The longest that a timer can be set to. */
const NEVER_MS = 2 ** 31 - 1;
const PING_TIMEOUT_MS = 5_000;
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format === 'binary') return (bytes: Buffer) => bytes;
    // Counts fit a double; as strings they would be concatenated one day.
    return oid === INT8 ? Number : pg.types.getTypeParser(oid, 'text');
  },
};

export interface DatabaseSettings {
  readonly connectionString: string;
  readonly maxConnections: number;
  /** Default: 30 s. */
  readonly statementTimeoutMs?: number;
  readonly log: Log;
}

export function openDatabase(settings: DatabaseSettings): Database {
  const { connectionString, maxConnections, statementTimeoutMs = STATEMENT_TIMEOUT_MS, log } = settings;
  const place = placeOf(connectionString);
  const pool = new pg.Pool({
    connectionString,
    max: maxConnections,
    types,
    application_name: 'autoflow',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + MARGIN_MS,
    keepAlive: true,
    allowExitOnIdle: true,
  });
  pool.on('error', (error) => log('warn', 'an idle connection to Postgres was lost', { place, error: error.message }));

  const typed = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(error, place);
    }
  };
  let ended: Promise<void> | undefined;

  return {
    query: (text, values, format) => typed(() => rows(pool, text, values, format)),
    transaction: (work, mode = 'read committed') => typed(() => repeated(() => transact(pool, work, mode))),
    patient: {
      query: (text, values, format) => typed(() => transact(pool, (sql) => sql.query(text, values, format), 'read committed', NEVER_MS)),
      transaction: (work, mode = 'read committed') => typed(() => repeated(() => transact(pool, work, mode, NEVER_MS))),
    },
    ping: () => typed(async () => void (await pool.query({ text: 'select 1', query_timeout: PING_TIMEOUT_MS } as pg.QueryConfig))),
    close: () => (ended ??= pool.end()),
  };
}

async function rows<Row extends object>(
  client: pg.Pool | pg.ClientBase,
  text: string,
  values: readonly unknown[] = [],
  format = 'text',
  timeoutMs?: number,
): Promise<Row[]> {
  const query = { text, values: values.map(storable), binary: format === 'binary', ...(timeoutMs && { query_timeout: timeoutMs }) };
  return (await client.query<Row>(query)).rows;
}

async function transact<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>, mode: string, timeoutMs?: number): Promise<T> {
  const client = await pool.connect();
  // A client that loses its connection while no statement is under way emits; unheard, that would end the process.
  const ignore = () => {};
  client.on('error', ignore);
  let broken: Error | undefined;
  try {
    await client.query(`begin isolation level ${mode}`);
    if (timeoutMs !== undefined) await client.query(`set local statement_timeout = ${timeoutMs}`);
    const result = await work({ query: (text, values, format) => rows(client, text, values, format, timeoutMs) });
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => (broken = lost));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

async function repeated<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !wasSacrificed(error)) throw error;
    }
  }
}
