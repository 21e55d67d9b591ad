import { afterAll, beforeAll, expect, test } from 'vitest';
import type pg from 'pg';
import type { EventRow } from './events.model.js';
import { batchOf, by, connect, inputsOf, keysOf, openingOf, registerPipeline, useTestStore } from './testing/fixtures.js';

const stack = useTestStore();
let other: pg.Client;
beforeAll(async () => {
  other = await connect(stack.stack.databaseUrl);
  await registerPipeline(stack.store, 'told');
});
afterAll(() => other.end());

/** Transactions of other databases of the server hold events back as well: asks until there are as many. */
async function after(place: string, count: number): Promise<EventRow[]> {
  for (;;) {
    const events = await stack.store.events.after(place, 1_000);
    if (events.length >= count) return events;
    await new Promise(setImmediate);
  }
}
async function head(): Promise<string> {
  await stack.store.events.append({ type: 'test.mark', data: { mark: ++marks } });
  const isMark = ({ data }: EventRow) => (data as { mark?: number }).mark === marks;
  for (;;) {
    const [newest] = (await stack.store.events.list({ types: ['test.mark'], limit: 10 })).filter(isMark);
    if (newest !== undefined) return newest.id;
    await new Promise(setImmediate);
  }
}
let marks = 0;

test('what is changed is told of, in the transaction of the change', async () => {
  const place = await head();
  await stack.store.definitions.setStable({ pipeline: 'told', version: 'v1', by });
  await expect(stack.store.definitions.setStable({ pipeline: 'told', version: 'v9', by })).rejects.toThrow();
  await stack.store.backfills.create(
    { id: 'b1', pipeline: 'told', scope: 'b1', source: { kind: 'jsonl', path: '/in' }, concurrency: 1 },
    by,
  );
  await stack.store.backfills.setState('b1', 'paused', by);
  const events = await after(place, 3);
  expect(events.map(({ type, pipeline }) => [type, pipeline])).toEqual([
    ['stable.set', 'told'],
    ['backfill.create', 'told'],
    ['backfill.state', 'told'],
  ]);
  expect(events[0]?.data).toMatchObject({ actor: 'tester', reason: 'because', after: { version: 'v1', revision: 2 } });
});

test('dead letters are told of once per batch, by code and without anything of a record', async () => {
  const place = await head();
  const keys = keysOf(5, 'secret');
  await stack.store.ledger.open(openingOf('told', 'd1', keys));
  const outcomes = keys.map((key, i) => ({
    state: 'dead' as const,
    key,
    in: 'parse',
    code: i === 0 ? 'ODD' : 'BAD',
    message: `of ${key}`,
  }));
  await stack.store.ledger.close({ batchId: 'd1', outcomes, inputs: inputsOf(keys) });
  await stack.store.ledger.close({ batchId: 'd1', outcomes, inputs: inputsOf(keys) });
  await stack.store.events.append({ type: 'test.end', data: {} });
  const events = await after(place, 2);
  expect(events.map(({ type }) => type)).toEqual(['dead-letters.added', 'test.end']);
  expect(events[0]?.data).toEqual({
    batch: 'd1',
    scope: 'live',
    version: 'v1',
    release: batchOf('told', 'd1').release,
    count: 5,
    codes: { BAD: 4, ODD: 1 },
  });
  expect(JSON.stringify(events)).not.toContain('secret');
});

test('no reader passes an event of a transaction that is still under way', async () => {
  const place = await head();
  await other.query('begin');
  await other.query(`insert into autoflow.events (type, data) values ('test.slow', '{}')`);
  await stack.store.events.append({ type: 'test.quick', data: {} });
  expect(await stack.store.events.after(place, 10)).toEqual([]);
  await other.query('commit');
  expect((await after(place, 2)).map(({ type }) => type)).toEqual(['test.slow', 'test.quick']);
});

test('reading on from the last one misses none and repeats none', async () => {
  const place = await head();
  await Promise.all(Array.from({ length: 60 }, (_, i) => stack.store.events.append({ type: 'test.many', data: { i } })));
  await after(place, 60);
  const seen: EventRow[] = [];
  for (let at = place; ; at = seen.at(-1)!.id) {
    const page = await stack.store.events.after(at, 7);
    if (page.length === 0) break;
    seen.push(...page);
  }
  expect(seen).toHaveLength(60);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(60);
});

test('filters, pages and rubbish for a place', async () => {
  const place = await head();
  for (let i = 0; i < 5; i++) await stack.store.events.append({ pipeline: 'told', type: 'test.page', data: { i } });
  await after(place, 5);
  const first = await stack.store.events.list({ pipeline: 'told', types: ['test.page', 'test.none'], limit: 3 });
  const second = await stack.store.events.list({ pipeline: 'told', types: ['test.page'], limit: 3, before: first.at(-1)!.id });
  expect([...first, ...second].map(({ data }) => data)).toEqual([4, 3, 2, 1, 0].map((i) => ({ i })));
  for (const rubbish of ['', 'x', '1', '99999999999999999999-1', "1-1'; drop"])
    expect((await stack.store.events.after(rubbish, 1))[0]?.type).toBe('release.register');
});

test('old events go, and readers go on with the oldest that are left', async () => {
  await stack.sql.query(
    `insert into autoflow.events (type, data, at) select 'test.old', '{}', now() - interval '40 days' from generate_series(1, 10500)`,
  );
  const place = await head();
  const before = new Date(Date.now() - 30 * 86_400_000);
  expect(await stack.store.events.removeOlderThan(before)).toBe(10_500);
  expect(await stack.store.events.removeOlderThan(before)).toBe(0);
  expect(await stack.store.events.after(place, 1)).toEqual([]);
});
