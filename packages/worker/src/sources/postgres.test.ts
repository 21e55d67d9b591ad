import { expect, it } from 'vitest';
import pg from 'pg';
import { useTestStack } from '@autoflow/local-stack/testing';
import type { PipelineSpec } from '@autoflow/pipeline';
import { openSource } from './index.js';
import { postgresSource } from './postgres.js';

const stack = useTestStack();

async function rowsOf(query: string, skip = 0): Promise<object[]> {
  const rows: object[] = [];
  for await (const { fields } of postgresSource({ connectionString: stack.databaseUrl, query }).records(skip)) rows.push(fields);
  return rows;
}

it('reads a query by cursor, from where it stood, with values as JSON has them', async () => {
  const query = `select n as id, n::text as name, timestamp with time zone '2026-01-02 03:04:05Z' as at, null as nothing, jsonb_build_object('n', n) as nested from generate_series(1, 1203) n order by n`;
  const rows = await rowsOf(query, 1201);
  expect(rows).toEqual([1202, 1203].map((n) => ({ id: n, name: String(n), at: '2026-01-02T03:04:05.000Z', nothing: null, nested: { n } })));
});

it('leaves no connection behind when it is left half-way', async () => {
  for await (const { where } of postgresSource({
    connectionString: stack.databaseUrl,
    query: 'select * from generate_series(1, 100000) as id',
  }).records(0))
    if (where === 'row 10') break;
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and query like '%generate_series(1, 100000)%' and pid <> pg_backend_pid()`,
  );
  await client.end();
  expect(rows).toEqual([{ n: 0 }]);
});

it('refuses a wrong query with what Postgres says of it', async () => {
  await expect(rowsOf('select * from no_such_table')).rejects.toMatchObject({
    name: 'SourceError',
    code: 'SOURCE_QUERY',
    message: expect.stringContaining('no_such_table'),
  });
});

it('takes a lost connection for what may pass', async () => {
  const source = postgresSource({ connectionString: 'postgres://nobody@127.0.0.1:1/none', query: 'select 1' });
  await expect(source.records(0)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it.each([undefined, 'mysql://me:hunter2@db/shop'])('names the secret that is missing or holds something else, never its value', (value) => {
  const open = () => openSource({ kind: 'postgres', secret: 'SHOP_DATABASE_URL', query: 'select 1' }, {} as PipelineSpec, () => value);
  expect(open).toThrow(
    expect.objectContaining({ code: 'SOURCE_SECRET', message: expect.stringMatching(/SHOP_DATABASE_URL(?!.*hunter2)/s) }),
  );
});
