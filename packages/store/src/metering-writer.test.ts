import { describe, expect, test } from 'vitest';
import { type StoreError, StoreUnavailableError } from './errors.js';
import { createMeteringWriter } from './metering-writer.js';
import { invocationOf, poolUsageOf } from './testing/measurements.js';
import { useTestStore } from './testing/fixtures.js';

/** Long enough never to come in a test: flushes are asked for. */
const NEVER = 1_000_000;
const rows = (count: number) => Array.from({ length: count }, (_, i) => invocationOf({ runId: `r${i}` }));

describe('metering writer', () => {
  const context = useTestStore();
  const written = async () => (await context.sql.query<{ n: number }>('select count(*)::int as n from autoflow.invocations')).rows[0]!.n;
  /** The real store, with a switch for the way to it. */
  const switched = () => {
    const sizes: number[] = [];
    const way = { error: undefined as StoreError | undefined, sizes };
    const through = async <Row>(list: readonly Row[], write: (list: readonly Row[]) => Promise<void>) => {
      if (way.error !== undefined) throw way.error;
      sizes.push(list.length);
      await write(list);
    };
    const { metering } = context.store;
    return Object.assign(way, {
      store: {
        writeInvocations: (list: Parameters<typeof metering.writeInvocations>[0]) => through(list, metering.writeInvocations),
        writePoolUsage: (list: Parameters<typeof metering.writePoolUsage>[0]) => through(list, metering.writePoolUsage),
      },
    });
  };
  const away = new StoreUnavailableError('db:5432/x', 'ECONNREFUSED');

  test('writes in batches, what was taken while writing too', async () => {
    const way = switched();
    const writer = createMeteringWriter({ store: way.store, flushMs: NEVER, maxRows: 10 });
    rows(25).forEach((row) => writer.invocation(row));
    writer.poolUsage(poolUsageOf());
    await writer.flush();
    expect(way.sizes).toEqual([10, 10, 5, 1]);
    expect(await written()).toBe(25);
    await writer.close();
    expect(writer.dropped).toBe(0);
  });

  test('keeps the rows while the database is away, up to a bound, and counts what it drops', async () => {
    await context.sql.query('truncate autoflow.invocations');
    const way = switched();
    const dropped: unknown[] = [];
    const writer = createMeteringWriter({
      store: way.store,
      flushMs: NEVER,
      maxRows: 10,
      log: (level, _, details) => level === 'warn' && dropped.push(details),
    });
    way.error = away;
    rows(230).forEach((row) => writer.invocation(row));
    await expect(writer.flush()).rejects.toBe(away);
    way.error = undefined;
    await writer.flush();
    expect(await written()).toBe(200);
    expect(writer.dropped).toBe(30);
    expect(dropped).toEqual([{ rows: 30, dropped: 30, why: 'memory for waiting rows is full' }]);
    await writer.close();
  });

  test('drops the row that the database refuses, and only that', async () => {
    await context.sql.query('truncate autoflow.invocations');
    const writer = createMeteringWriter({ store: context.store.metering, flushMs: NEVER });
    rows(3).forEach((row, i) => writer.invocation(i === 1 ? { ...row, durationMs: NaN } : row));
    await writer.flush();
    expect([writer.dropped, await written()]).toEqual([1, 2]);
    await writer.close();
  });

  test('closing without a database says how many rows are lost', async () => {
    const way = switched();
    const writer = createMeteringWriter({ store: way.store, flushMs: NEVER });
    way.error = away;
    rows(4).forEach((row) => writer.invocation(row));
    writer.poolUsage(poolUsageOf());
    await writer.close();
    expect(writer.dropped).toBe(5);
  });
});
