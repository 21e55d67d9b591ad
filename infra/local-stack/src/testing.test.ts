import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';
import { useTestStack } from './testing.js';

const stack = useTestStack();

test('a test file has a database of its own, with the schema and nothing else', async () => {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`);
    expect(rows).toEqual([{ tables: 0 }]);
    const { rows: pipelines } = await client.query('SELECT count(*)::int AS found FROM autoflow.pipelines');
    expect(pipelines).toEqual([{ found: 0 }]);
    const { rows: settings } = await client.query('SHOW max_connections');
    expect(Number(settings[0].max_connections)).toBeGreaterThanOrEqual(200);
  } finally {
    await client.end();
  }
});

test('its Temporal namespace takes workflows that carry the search attributes', async () => {
  const connection = await Connection.connect({ address: stack.temporal.address });
  try {
    const { workflow } = new Client({ connection, namespace: stack.temporal.namespace });
    const searchAttributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, ['x']]));
    const handle = await workflow.start('anything', { taskQueue: 'nobody-polls-this', workflowId: 'open', searchAttributes });
    expect((await handle.describe()).status.name).toBe('RUNNING');
  } finally {
    await connection.close();
  }
});
