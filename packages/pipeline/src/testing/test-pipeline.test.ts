import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineFunction, definePipeline, type InputOf } from '../index.js';
import { orders, rates, retailOrders, type Orders } from '../type-tests/retail.js';
import { fake, testPipeline } from './index.js';

type Invoice = InputOf<typeof retailOrders>;
const line = (stockCode: string, quantity: number, unitPrice: number) => ({ stockCode, quantity, unitPrice });
const invoice = (invoiceNo: string, more: Partial<Invoice> = {}): Invoice => ({
  invoiceNo,
  invoicedAt: '2010-12-01T08:26:00Z',
  country: 'United Kingdom',
  customerId: '17850',
  lines: [line('85123A', 6, 2.5), line('POST', 1, 18)],
  ...more,
});
function table(): Orders & { readonly rows: Map<string, string> } {
  const rows = new Map<string, string>();
  return {
    rows,
    async query(_sql, [json]) {
      const fresh = (JSON.parse(json as string) as { key: string; no: string }[]).filter(({ key }) => !rows.has(key));
      fresh.forEach(({ key, no }) => rows.set(key, no));
      return { rowCount: fresh.length, rows: fresh.map(({ no }) => ({ invoice_no: no })) };
    },
    async end() {},
  };
}
const knownRates = fake(rates, {
  on: async (_day, currencies) => Object.fromEntries(currencies.filter((c) => c !== 'USD').map((c) => [c, c === 'EUR' ? 0.84 : 1])),
});
const some = [
  invoice('1'),
  invoice('2', { country: 'France' }),
  invoice('C3'),
  invoice('4', { country: 'USA' }),
  invoice('5', { lines: [] }),
  invoice('6', { customerId: null }),
  invoice('a/b'),
];

describe('a pipeline like the example', () => {
  test('every record has one outcome, and a bad one stops no other', async () => {
    const db = table();
    const got = await testPipeline(retailOrders, some, { fakes: [knownRates, fake(orders, db)] });
    expect(got.map(({ state }) => state)).toEqual(['completed', 'completed', 'filtered', 'dead', 'completed', 'completed', 'completed']);
    expect(got[2]).toEqual({ key: 'C3', state: 'filtered', by: 'is-sale', reason: 'a cancellation' });
    expect(got[3]).toEqual({ key: '4', state: 'dead', in: 'look-up-rate', code: 'RATE_UNKNOWN', message: 'there is no rate for USD' });
    expect(got[0]).toEqual({ key: '1', state: 'completed', output: { invoiceNo: '1', revenueGbp: 33, risk: 0.00033, stored: true } });
    expect([...db.rows.entries()]).toEqual([
      ['retail-orders/test/1/store-order', '1'],
      ['retail-orders/test/2/store-order', '2'],
      ['retail-orders/test/5/store-order', '5'],
      ['retail-orders/test/6/store-order', '6'],
      ['retail-orders/test/a/b/store-order', 'a/b'],
    ]);
  });

  test('the batch size changes nothing', async () => {
    const fakes = () => [knownRates, fake(orders, table())];
    const got = await testPipeline(retailOrders, some, { fakes, batchSizes: [1, 2, 3, 5, 'all'] });
    expect(got).toHaveLength(some.length);
  });

  test('outputs that depend on whether a write was the first are found by running twice on the same fake', async () => {
    const fakes = [knownRates, fake(orders, table())];
    await expect(testPipeline(retailOrders, some, { fakes, batchSizes: [1, 'all'] })).rejects.toThrow(
      /the batch size changes the outcome of record 0 \(key '1'\).*"stored":true.*at batch size 1.*"stored":false.*at all/,
    );
  });

  test('any legal topology gives the same outcomes', async () => {
    const stage = (name: string, nodes: string[], after: string[], partitions = 1) => ({ name, nodes, after, partitions });
    const topology = {
      stages: [
        stage('d', ['store-order'], ['b', 'c'], 3),
        stage('a', ['find-currency'], []),
        stage('b', ['lines', 'revenue-by-category', 'score-fraud'], ['a'], 2),
        stage('c', ['look-up-rate', 'is-sale'], ['a']),
      ],
    };
    const run = (more: object) => testPipeline(retailOrders, some, { fakes: [knownRates, fake(orders, table())], ...more });
    expect(await run({ topology })).toEqual(await run({}));
  });
});

describe('what is wrong with the test is said at once', () => {
  const Id = z.object({ id: z.string() });
  const pipeline = definePipeline('p', { input: Id, key: 'id', output: Id }, (r) => r);

  test('a missing fake is named', async () => {
    await expect(testPipeline(retailOrders, some, { fakes: [knownRates] })).rejects.toThrow(
      "'store-order' uses 'orders', which has no fake",
    );
  });
  test('an input that does not fit', async () => {
    await expect(testPipeline(pipeline, [{ id: 'a' }, { id: 1 } as never])).rejects.toThrow(
      "record 1 is no input of 'p': id: Invalid input: expected string, received number",
    );
  });
  test('two records with one key', async () => {
    await expect(testPipeline(pipeline, [{ id: 'a' }, { id: 'a' }])).rejects.toThrow("records 0 and 1 have the same key 'a'");
  });
  test('a batch size that is none', async () => {
    await expect(testPipeline(pipeline, [{ id: 'a' }], { batchSize: 0 })).rejects.toThrow('0 is no batch size');
  });
  test('stages that wait for each other', async () => {
    const topology = {
      stages: [
        { name: 'a', nodes: [], after: ['b'] },
        { name: 'b', nodes: [], after: ['a'] },
      ],
    };
    await expect(testPipeline(pipeline, [{ id: 'a' }], { topology })).rejects.toThrow('the stages a, b wait for each other');
  });
  test('a handler whose answers come from the batch', async () => {
    const count = defineFunction('count', {
      effect: 'pure',
      reads: z.object({}),
      writes: z.object({ n: z.number() }),
      handleBatch: (records) => records.map(() => ({ n: records.length })),
    });
    const counted = definePipeline('counted', { input: Id, key: 'id', output: z.object({ n: z.number() }) }, (r) => count(r));
    await expect(testPipeline(counted, [{ id: 'a' }, { id: 'b' }], { batchSizes: [1, 'all'] })).rejects.toThrow(
      /the batch size changes the outcome of record 0 .*"n":1.*"n":2/,
    );
  });
});
