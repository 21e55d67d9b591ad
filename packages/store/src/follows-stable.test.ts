import { beforeAll, describe, expect, test } from 'vitest';
import type pg from 'pg';
import type { Sql } from './database.js';
import { StaleVersionError } from './errors.js';
import { holdStable, moveStable } from './stable-lock.js';
import {
  allocation,
  by,
  connect,
  envelope,
  openingOf,
  registerPipeline,
  topology,
  untilBlocked,
  useTestStore,
} from './testing/fixtures.js';

const sqlOf = (client: pg.Client): Sql => ({
  query: async <Row extends object>(text: string, values?: readonly unknown[]) => (await client.query<Row>(text, [...(values ?? [])])).rows,
});

describe('a batch that follows the stable pointer', () => {
  const context = useTestStore();
  const ledger = () => context.store.ledger;
  const setStable = (version: string) => context.store.definitions.setStable({ pipeline: 'orders', version, by });
  const open = (id: string, version: string, scope = id) => {
    const { batch, ...request } = openingOf('orders', id, [id], scope);
    return ledger().open({ ...request, batch: { ...batch, version }, followsStable: true });
  };
  beforeAll(async () => {
    await registerPipeline(context.store, 'orders');
    const batch = { records: 7, bytes: 1024 };
    const second = { pipeline: 'orders', hash: 'h2', release: 'r1', topology: { ...topology, batch }, envelope, allocation, by };
    expect((await context.store.definitions.registerVersion(second)).version.name).toBe('v2');
  });

  test('is opened with what is stable, and with nothing else', async () => {
    await setStable('v1');
    expect((await open('a1', 'v1')).row).toMatchObject({ version: 'v1', state: 'open' });
    const refused = open('a2', 'v2');
    await expect(refused).rejects.toThrow(StaleVersionError);
    await expect(refused).rejects.toMatchObject({ code: 'STALE_VERSION', found: 'v2', current: 'v1' });
    expect(await ledger().batch('a2')).toBeUndefined();
    expect(await ledger().record('orders', 'a2', 'a2')).toBeUndefined();
  });

  test('again, it answers what there is, wherever the pointer went', async () => {
    await setStable('v1');
    await open('b1', 'v1');
    await setStable('v2');
    expect((await open('b1', 'v2')).row.version).toBe('v1');
  });

  test('waits for a rollback under way, and then sees it', async () => {
    await setStable('v2');
    const rollback = await connect(context.stack.databaseUrl);
    await rollback.query('begin');
    await moveStable(sqlOf(rollback), 'orders');
    await rollback.query(`update autoflow.pipelines set stable_version = 'v1' where name = 'orders'`);
    const opening = expect(open('c1', 'v2')).rejects.toMatchObject({ code: 'STALE_VERSION', current: 'v1' });
    await untilBlocked(context.sql, 'pg_advisory_xact_lock_shared');
    await rollback.query('commit');
    await rollback.end();
    await opening;
  });

  test('holds a rollback up until it is in the books, but none that comes later does', async () => {
    await setStable('v2');
    const opener = await connect(context.stack.databaseUrl);
    await opener.query('begin');
    await holdStable(sqlOf(opener), 'orders');
    const rolledBack = setStable('v1');
    await untilBlocked(context.sql, 'pg_advisory_xact_lock(');
    expect((await context.store.definitions.pipeline('orders'))?.stable.version).toBe('v2');
    const late = expect(open('d1', 'v2')).rejects.toMatchObject({ code: 'STALE_VERSION' });
    await untilBlocked(context.sql, 'pg_advisory_xact_lock_shared');
    await opener.query('commit');
    await opener.end();
    expect((await rolledBack).stable.version).toBe('v1');
    await late;
  });

  test('never comes with the old version after the rollback has returned, however many are opened meanwhile', async () => {
    const batchesOf = async (scope: string, version: string) =>
      (await ledger().openBatches({ pipeline: 'orders', scope })).filter((row) => row.version === version).length;
    for (let round = 0; round < 10; round++) {
      const [before, after] = round % 2 === 0 ? ['v2', 'v1'] : ['v1', 'v2'];
      const scope = `round-${round}`;
      await setStable(before!);
      const opening = Array.from({ length: 12 }, (_, n) => open(`${scope}-${n}`, before!, scope));
      const settled = Promise.allSettled(opening);
      await setStable(after!);
      const underWay = await batchesOf(scope, before!);
      const refused = (await settled).filter(({ status }) => status === 'rejected').length;
      expect(await batchesOf(scope, before!)).toBe(underWay);
      expect(underWay + refused).toBe(12);
    }
  });
});
