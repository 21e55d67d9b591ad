import { describe, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore } from './open-store.js';
import { connect } from './testing/fixtures.js';

describe('openStore', () => {
  const stack = useTestStack({ empty: true });
  const withUrl = (change: (url: URL) => void) => {
    const url = new URL(stack.databaseUrl);
    change(url);
    return url.href;
  };
  const failure = async (connectionString: string) => {
    const error: unknown = await openStore({ connectionString }).catch((error: unknown) => error);
    expect(JSON.stringify({ ...(error as object), text: String((error as Error).stack) })).not.toContain('hunter2');
    return error;
  };

  test('a database that does not answer is unavailable: try again', async () => {
    const error = await failure('postgres://me:hunter2@127.0.0.1:1/shop?password=hunter2');
    expect(error).toMatchObject({
      name: 'StoreUnavailableError',
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('127.0.0.1:1/shop'),
    });
  });

  test('a database that refuses is terminal', async () => {
    expect(await failure(withUrl((url) => (url.pathname = '/no_such_database')))).toMatchObject({
      code: 'STORE_REFUSED',
      retryable: false,
    });
  });

  test('rubbish instead of a connection string is refused without quoting it', async () => {
    for (const rubbish of ['', 'hunter2', 'mysql://me:hunter2@db/x', 'postgres://me:hunter2@db:port/x']) {
      expect(await failure(rubbish)).toMatchObject({ code: 'SETTINGS_INVALID', retryable: false });
    }
  });

  test('before the migrations every call says that they are missing', async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.ping();
    await expect(store.definitions.pipelines()).rejects.toMatchObject({ code: 'SCHEMA_MISSING', retryable: false });
    await store.migrate();
    expect(await store.definitions.pipelines()).toEqual([]);
    await store.close();
    await store.close();
  });

  test('a statement that hangs ends, typed and retryable; a report may take longer', async () => {
    const store = await openStore({ connectionString: stack.databaseUrl, statementTimeoutMs: 100 });
    await store.migrate();
    const holder = await connect(stack.databaseUrl);
    await holder.query('begin; lock table autoflow.pipelines, autoflow.pool_usage');
    const window = { pipeline: 'p', from: new Date(0), to: new Date(1), by: 'stage' } as const;
    const report = store.metrics.metrics(window);
    const hung = store.definitions.pipelines();
    await expect(hung).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('statement timeout'),
    });
    await holder.query('commit');
    expect(await report).toEqual([]);
    expect(await store.definitions.pipelines()).toEqual([]);
    await holder.end();
    await store.close();
  });

  test('connections that are cut are replaced', async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    const sql = await connect(stack.databaseUrl);
    await sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'autoflow' and datname = current_database()`,
    );
    // The pool notices on its own, or this call does, with an error that invites to repeat it.
    await store.ping().catch((error: unknown) => expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true }));
    await store.ping();
    await sql.end();
    await store.close();
  });
});
