import { useTestStack } from '@autoflow/local-stack/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from './database.js';
import { migrations } from './migrations/index.js';
import { migrate } from './migrator.js';

const first = { name: '0001-a', sql: 'create table autoflow.a (x int); create table autoflow.b (x int)' };
const second = { name: '0002-b', sql: 'alter table autoflow.a add y int' };

describe('migrate', () => {
  const stack = useTestStack({ empty: true });
  let database: Database;
  beforeAll(() => {
    database = openDatabase({ connectionString: stack.databaseUrl, maxConnections: 4, log: () => {} });
  });
  beforeEach(() => database.query('drop schema if exists autoflow cascade'));
  afterAll(() => database.close());

  test('applies what is outstanding, once, in order', async () => {
    expect(await migrate(database, [first])).toEqual({ applied: ['0001-a'] });
    expect(await migrate(database, [first, second])).toEqual({ applied: ['0002-b'] });
    expect(await migrate(database, [first, second])).toEqual({ applied: [] });
    expect(await database.query('select x, y from autoflow.a')).toEqual([]);
  });

  test('of many at once, one applies', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => migrate(database, migrations)));
    expect(all.flatMap(({ applied }) => applied).sort()).toEqual(migrations.map(({ name }) => name));
  });

  test('a migration that fails leaves nothing behind, not even those before it', async () => {
    const broken = { name: '0002-b', sql: 'alter table autoflow.missing add y int' };
    await expect(migrate(database, [first, broken])).rejects.toMatchObject({ code: 'SCHEMA_MISSING' });
    expect(await database.query(`select to_regclass('autoflow.a') as found`)).toEqual([{ found: null }]);
  });

  test('refuses a schema that is newer', async () => {
    await migrate(database, [first, second]);
    await expect(migrate(database, [first])).rejects.toMatchObject({
      code: 'SCHEMA_TOO_NEW',
      retryable: false,
      message: expect.stringContaining('0002-b'),
    });
  });

  test('refuses a history that was altered', async () => {
    await migrate(database, [first, second]);
    await expect(migrate(database, [{ ...first, sql: `${first.sql} ` }, second])).rejects.toMatchObject({
      code: 'SCHEMA_ALTERED',
      message: expect.stringContaining('0001-a'),
    });
    await expect(migrate(database, [first, { ...second, name: '0002-c' }])).rejects.toMatchObject({ code: 'SCHEMA_ALTERED' });
  });
});
