/** LISTEN on a connection of its own that comes back by itself. Nothing is missed: after every reconnect all callbacks are called. */
import pg from 'pg';
import { placeOf, storeError } from './connection.js';
import type { Log } from './database.js';
import { StoreUnavailableError } from './errors.js';
import type { Channel } from './model.js';

type Callback = (payload: string | undefined) => void;

export interface Listener {
  listen(channel: Channel, callback: Callback): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A connection whose other end is gone without a word is found out by asking. */
const PROBE_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;

export function createListener({ connectionString, log }: { connectionString: string; log: Log }): Listener {
  const place = placeOf(connectionString);
  const callbacks = new Map<Channel, Set<Callback>>();
  let connection: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  const call = (callback: Callback, payload: string | undefined) => {
    try {
      callback(payload);
    } catch (error) {
      log('error', 'a listener threw', { error: (error as Error).message });
    }
  };
  const notifyAll = () => callbacks.forEach((set) => set.forEach((callback) => call(callback, undefined)));

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString,
      application_name: 'autoflow listener',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: PROBE_TIMEOUT_MS,
    });
    client.on('error', () => {});
    client.on('notification', ({ channel, payload }) => callbacks.get(channel as Channel)?.forEach((callback) => call(callback, payload)));
    try {
      await client.connect();
      for (const channel of callbacks.keys()) await client.query(`listen ${channel}`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    const probe = setInterval(() => void client.query('select 1').catch(() => client.end()), PROBE_MS).unref();
    client.once('end', () => {
      clearInterval(probe);
      if (closed) return;
      log('warn', 'the listening connection to Postgres was lost', { place });
      connection = undefined;
      reconnect(FIRST_RETRY_MS);
    });
    return client;
  }

  function connected(): Promise<pg.Client> {
    if (connection === undefined) {
      connection = connect();
      connection.catch(() => (connection = undefined));
    }
    return connection;
  }

  function reconnect(delayMs: number): void {
    retry = setTimeout(() => {
      connected().then(notifyAll, () => {
        if (!closed) reconnect(Math.min(delayMs * 2, LAST_RETRY_MS));
      });
    }, delayMs);
  }

  return {
    async listen(channel, callback) {
      if (closed) throw new StoreUnavailableError(place, 'the store is closed');
      const set = callbacks.get(channel) ?? new Set();
      callbacks.set(channel, set.add(callback));
      try {
        const client = await connected();
        await client.query(`listen ${channel}`);
      } catch (error) {
        set.delete(callback);
        throw storeError(error, place);
      }
      return async () => void set.delete(callback);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      const client = await connection?.catch(() => undefined);
      await client?.end();
    },
  };
}
