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

export interface Database extends Sql {
  /** Runs `work` in one transaction; when Postgres aborted it for another one's sake, again (three times at most), so `work` must not have other effects. */
  transaction<T>(work: (sql: Sql) => Promise<T>, mode?: 'read committed' | 'repeatable read read only'): Promise<T>;
  /** Rejects when the server does not answer within 5 seconds; other statements wait for it. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const PING_TIMEOUT_MS = 5_000;
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format === 'binary') return (bytes: Buffer) => bytes;
    // Counts fit a double; as strings they would be concatenated one day.
    return oid === INT8 ? Number : pg.types.getTypeParser(oid, 'text');
  },
};

export function openDatabase(settings: { connectionString: string; maxConnections: number; log: Log }): Database {
  const { connectionString, maxConnections, log } = settings;
  const place = placeOf(connectionString);
  const pool = new pg.Pool({
    connectionString,
    max: maxConnections,
    types,
    application_name: 'autoflow',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
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
    ping: () => typed(async () => void (await pool.query({ text: 'select 1', query_timeout: PING_TIMEOUT_MS } as pg.QueryConfig))),
    close: () => (ended ??= pool.end()),
  };
}

async function rows<Row extends object>(
  client: pg.Pool | pg.ClientBase,
  text: string,
  values: readonly unknown[] = [],
  format = 'text',
): Promise<Row[]> {
  const query = { text, values: values.map(storable), binary: format === 'binary' };
  return (await client.query<Row>(query)).rows;
}

async function transact<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>, mode: string): Promise<T> {
  const client = await pool.connect();
  // A client that loses its connection while no statement is under way emits; unheard, that would end the process.
  const ignore = () => {};
  client.on('error', ignore);
  let broken: Error | undefined;
  try {
    await client.query(`begin isolation level ${mode}`);
    const result = await work({ query: (text, values, format) => rows(client, text, values, format) });
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
