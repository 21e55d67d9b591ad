import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { driftSince } from './expiry.js';

const stack = useTestStack();
const HOUR_MS = 3_600_000;
let store: Store;
let sql: pg.Client;
let now: number;
beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  now = await store.comparisons.clock();
});
afterAll(async () => {
  await sql.end();
  await store.close();
});

/** An hour of batches, one a minute, each a little different. */
const hour = (pipeline: string, until: number, records: number) =>
  sql.query(
    `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, ref, memory_mb, arm, admitted, completed, filtered, opened_at)
     select $1 || $2 || i, $1, 'v1', 'r', 'live', 'e', json_build_object('bytes', 200 * n), '{}', 'stable', n, n - n / 4, n / 4,
            to_timestamp(($2::float8 - 60000 * i) / 1000)
       from generate_series(1, 59) i, lateral (select $3::int + i % 7 as n) of`,
    [pipeline, until, records],
  );

test.each<[string, number, string[]]>([
  ['changes a little', 110, []],
  ['is four times as much', 400, ['rate is 3.9']],
  ['is a fifth', 20, ['rate is 0.2']],
])('a decision for 100 records a minute, and a workload that %s', async (pipeline, after, reasons) => {
  const decided = now - 5 * HOUR_MS;
  await hour(pipeline, decided, 100);
  await hour(pipeline, now, after);
  const found = await driftSince({ pipeline, endedAt: new Date(decided) }, store);
  expect(found).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
});

test('before there is a whole hour since, nothing is said', async () => {
  await hour('young', now - HOUR_MS / 2, 100);
  await hour('young', now, 900);
  expect(await driftSince({ pipeline: 'young', endedAt: new Date(now - HOUR_MS / 2) }, store)).toEqual([]);
});
