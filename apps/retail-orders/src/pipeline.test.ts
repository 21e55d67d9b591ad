import { asWritten, parseTopology, validateTopology } from '@autoflow/topology';
import { specOf } from '@autoflow/pipeline';
import { checkReduce, testPipeline } from '@autoflow/pipeline/testing';
import { describe, expect, it } from 'vitest';
import { generateInvoices } from './data/generate.js';
import { fakes, MemoryOrders } from './fakes.js';
import { revenueByCategory } from './functions/price.js';
import { retailOrders } from './pipeline.js';
import { samples } from './samples.js';
import { topology } from './topologies.js';

const byKey = async (options: { batchSize?: number; database?: MemoryOrders } = {}) => {
  const outcomes = await testPipeline(retailOrders, samples, {
    fakes: fakes(options.database),
    batchSize: options.batchSize ?? samples.length,
  });
  return new Map(outcomes.map((outcome) => [outcome.key, outcome]));
};

describe('retail-orders', () => {
  it('prices a sale in pence and in the customer’s currency', async () => {
    const outcomes = await byKey();
    expect(outcomes.get('536365')).toMatchObject({
      state: 'completed',
      output: {
        currency: 'GBP',
        totalPence: 6 * 255 + 1800,
        totalMinor: 6 * 255 + 1800,
        revenue: [
          { category: 'goods', pence: 1530, lines: 1, worth: 1 },
          { category: 'shipping', pence: 1800, lines: 1, worth: 1 },
        ],
        customer: { name: 'Customer 17850' },
      },
    });
    expect(outcomes.get('536370')).toMatchObject({ state: 'completed', output: { currency: 'EUR', totalPence: 9000 } });
    expect(outcomes.get('536389')).toMatchObject({ state: 'completed', output: { currency: 'JPY', totalPence: 5100 } });
  });

  it('keeps duplicate lines, negative ones and those of a tenth of a penny', async () => {
    const outcomes = await byKey();
    expect(outcomes.get('536373')).toMatchObject({ output: { totalPence: 2 * 6 * 495 } });
    expect(outcomes.get('536390')).toMatchObject({ output: { totalPence: -1700 + 0 + 50 } });
  });

  it('filters what is no sale, each with its reason', async () => {
    const outcomes = await byKey();
    const reasons = ['C536379', '536544', '536414', '543599'].map((key) => outcomes.get(key));
    expect(reasons).toEqual([
      { state: 'filtered', key: 'C536379', by: 'is-sale', reason: 'a cancellation' },
      { state: 'filtered', key: '536544', by: 'is-sale', reason: 'no customer' },
      { state: 'filtered', key: '536414', by: 'is-sale', reason: 'no customer' },
      { state: 'filtered', key: '543599', by: 'is-sale', reason: 'no line of worth' },
    ]);
  });

  it('answers the same in batches of 1, 7 and all, as written and filtering early', async () => {
    const invoices = [...samples, ...generateInvoices({ seed: 5, count: 60 })].filter(uniqueKeys());
    const options = { fakes: () => fakes(), batchSizes: [1, 7, 'all'] } as const;
    const { topology: filterEarly } = parseTopology(topology('filter-early'));
    const outcomes = await testPipeline(retailOrders, invoices, { ...options, topology: asWritten(specOf(retailOrders)) });
    expect(await testPipeline(retailOrders, invoices, { ...options, topology: filterEarly! })).toEqual(outcomes);
  });

  it('adds up revenue exactly, in any order', () => {
    const lines = [0, 1, 255, -1_106_206, 999_999_999].map((amountPence, i) => ({
      category: i % 2 ? 'goods' : 'fees',
      amountPence,
      isWorth: amountPence > 0,
    }));
    expect(checkReduce(revenueByCategory, lines)).toMatchObject({ holds: true });
  });

  it('stores every completed order once, however often it runs', async () => {
    const database = new MemoryOrders();
    await byKey({ database });
    const outcomes = await byKey({ database, batchSize: 1 });
    const completed = [...outcomes.values()].filter(({ state }) => state === 'completed').map(({ key }) => key);
    expect([...database.orders.values()].map(({ invoice_no }) => invoice_no)).toEqual(completed);
  });
});

describe('bad input', () => {
  const [good] = samples;
  const dead = async (invoice: (typeof samples)[number]) => (await testPipeline(retailOrders, [invoice], { fakes: fakes() }))[0];
  const withLine = (change: object) => ({ InvoiceNo: '1', rows: [{ ...good!.rows[0]!, ...change }] });

  it.each([
    ['no lines', { InvoiceNo: '1', rows: [] }, 'INVALID_INVOICE', /it has no lines/],
    ['a quantity', withLine({ Quantity: 'six' }), 'INVALID_INVOICE', /line 1 has the quantity 'six'; write a whole number/],
    ['a broken quantity', withLine({ Quantity: '1.5' }), 'INVALID_INVOICE', /line 1 has the quantity '1.5'/],
    ['a price', withLine({ UnitPrice: '£2' }), 'INVALID_INVOICE', /line 1 has the price '£2'/],
    ['a date', withLine({ InvoiceDate: '2011-02-30 10:00:00' }), 'INVALID_INVOICE', /the date is '2011-02-30 10:00:00'/],
    ['a customer', withLine({ CustomerID: 'Bob' }), 'INVALID_INVOICE', /the customer is '\[redacted\]'/],
    ['a country', withLine({ Country: 'Atlantis' }), 'COUNTRY_UNKNOWN', /the currency of 'Atlantis' is not known/],
  ])('%s that cannot be read kills that invoice alone', async (_, invoice, code, message) => {
    expect(await dead(invoice)).toMatchObject({ state: 'dead', code, message: expect.stringMatching(message) });
  });

  it('a cancellation from an unknown country is filtered, not dead', async () => {
    const [outcome] = await testPipeline(retailOrders, [{ ...withLine({ Country: 'Atlantis' }), InvoiceNo: 'C1' }], { fakes: fakes() });
    expect(outcome).toMatchObject({ state: 'filtered', reason: 'a cancellation' });
  });
});

describe('the topology that filters early', () => {
  it('is legal, and another than the one as written', () => {
    const { topology: parsed, problems } = parseTopology(topology('filter-early'));
    expect(problems).toBeUndefined();
    expect(validateTopology(specOf(retailOrders), parsed!)).toEqual([]);
    expect(asWritten(specOf(retailOrders)).stages).toHaveLength(8);
    expect(parsed!.stages).toHaveLength(4);
  });
});

function uniqueKeys(): (invoice: { InvoiceNo: string }) => boolean {
  const seen = new Set<string>();
  return ({ InvoiceNo }) => !seen.has(InvoiceNo) && seen.add(InvoiceNo).size > 0;
}
