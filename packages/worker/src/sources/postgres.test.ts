import { inspect } from 'node:util';
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
  const left = async (): Promise<number> => {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and query like '%generate_series(1, 100000)%' and pid <> pg_backend_pid()`,
    );
    return rows[0]!.n;
  };
  // The server goes a moment after its client.
  await expect.poll(left, { timeout: 30_000 }).toBe(0);
  await client.end();
});

it('refuses a wrong query with what Postgres says of it', async () => {
  await expect(rowsOf('select * from no_such_table')).rejects.toMatchObject({
    name: 'SourceError',
    code: 'SOURCE_QUERY',
    message: expect.stringContaining('no_such_table'),
  });
});

it('writes nothing: not by the query, not by a function in it, nor when the connection string would let it', async () => {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  await client.query(`
    create table kept (n int);
    insert into kept values (1);
    create function dropping() returns int language plpgsql as $$ begin delete from kept; return 1; end $$`);
  const allowing = new URL(stack.databaseUrl);
  allowing.searchParams.set('options', '-c default_transaction_read_only=off');
  for (const connectionString of [stack.databaseUrl, allowing.href])
    for (const query of [
      'delete from kept returning *',
      'select dropping()',
      `select set_config('transaction_read_only', 'off', true), dropping()`,
      'commit; delete from kept',
    ])
      await expect(
        postgresSource({ connectionString, query }).records(0)[Symbol.asyncIterator]().next(),
        `${query} by ${connectionString}`,
      ).rejects.toMatchObject({ name: 'SourceError', code: 'SOURCE_QUERY' });
  expect((await client.query('select * from kept')).rows).toEqual([{ n: 1 }]);
  await client.end();
});

it('quotes no value of a row that the query fails on', async () => {
  const failure: unknown = await rowsOf(`select word::int from (values ('hunter2')) given (word)`).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'SOURCE_QUERY', message: expect.stringContaining('SQLSTATE 22P02') });
  expect(inspect(failure)).not.toContain(`"hunter2"`);
});

it('takes a lost connection for what may pass', async () => {
  const source = postgresSource({ connectionString: 'postgres://nobody@127.0.0.1:1/none', query: 'select 1' });
  await expect(source.records(0)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

const open = (name: string, secret: (name: string) => string | undefined) =>
  openSource({ kind: 'postgres', secret: name, query: 'select 1' }, {} as PipelineSpec, { secret });

it.each([undefined, 'mysql://me:hunter2@db/shop'])(
  'names the secret that is missing or holds something else, never its value',
  async (value) => {
    await expect(open('SOURCE_SHOP', () => value)).rejects.toMatchObject({
      code: 'SOURCE_SECRET',
      message: expect.stringMatching(/SOURCE_SHOP(?!.*hunter2)/s),
    });
  },
);

it.each(['ORDERS_DATABASE_URL', 'SOURCE_', 'xSOURCE_A', 'SOURCE_a'])('asks for no secret of a pipeline, such as %s', async (name) => {
  const asked: string[] = [];
  const secret = (name: string) => (asked.push(name), stack.databaseUrl);
  await expect(open(name, secret)).rejects.toMatchObject({ code: 'SOURCE_SECRET', message: expect.stringContaining('SOURCE_') });
  expect(asked).toEqual([]);
});
