import { defineFunction, definePipeline, join as joined } from '@autoflow/pipeline';
import { testPipeline, type TestTopology } from '@autoflow/pipeline/testing';
import { parseTopology } from '@autoflow/topology';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { generateInvoices } from './data/generate.js';
import { locateInvoices, REAL_INVOICES } from './data/locate.js';
import { readInvoices } from './data/read-invoices.testing.js';
import { fakes, MemoryOrders } from './fakes.js';
import { isSale } from './functions/is-sale.js';
import { lookUpCustomer } from './functions/look-up-customer.js';
import { lookUpRate } from './functions/look-up-rate.js';
import { parseInvoice } from './functions/parse-invoice.js';
import { revenueByCategory, splitLines } from './functions/price.js';
import { storeOrder } from './functions/store-order.js';
import { retailOrders } from './pipeline.js';
import { RawInvoice, Receipt, Risk } from './records.js';
import { topology } from './topologies.js';

const dataFolder = process.env['AUTOFLOW_DATA'];
const isHere = dataFolder !== undefined && existsSync(join(dataFolder, 'online-retail'));
if (!isHere) console.log('skipped: the real invoices; set AUTOFLOW_DATA to the folder that holds online-retail/online-retail.csv.gz');

const unscored = defineFunction('score-fraud', { effect: 'pure', reads: z.object({}), writes: Risk, handle: () => ({ riskPermille: 0 }) });
/** The pipeline as it is but for the 2 ms of the score, of which 24,384 would take a minute. */
const quick = definePipeline('retail-orders', { input: RawInvoice, key: 'InvoiceNo', output: Receipt }, (raw) => {
  const known = lookUpCustomer(lookUpRate(parseInvoice(raw)));
  return storeOrder(isSale(joined(unscored(known), revenueByCategory(splitLines(known)))));
});

async function count(pipeline: typeof retailOrders, invoices: readonly RawInvoice[], batchSize: number, topology?: TestTopology) {
  const database = new MemoryOrders();
  const counts: Record<string, number> = {};
  const outcomes = await testPipeline(pipeline, invoices, { fakes: fakes(database), batchSize, ...(topology && { topology }) });
  for (const outcome of outcomes) {
    const what = outcome.state === 'filtered' ? `filtered: ${outcome.reason}` : outcome.state;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return { counts, stored: database.orders.size, outcomes };
}

describe.skipIf(!isHere)('the real invoices', () => {
  let invoices: RawInvoice[];
  beforeAll(async () => {
    const { path, origin } = await locateInvoices({ dataFolder, cacheFolder: tmpdir() });
    expect(origin).toBe('real');
    invoices = readInvoices(path);
  });

  it('are 24,384, of which 7,025 (28.8 %) are filtered, 17,359 completed and none is dead', async () => {
    expect(invoices).toHaveLength(REAL_INVOICES);
    expect(await count(quick, invoices, 500)).toMatchObject({
      counts: { completed: 17_359, 'filtered: a cancellation': 3_630, 'filtered: no customer': 3_391, 'filtered: no line of worth': 4 },
      stored: 17_359,
    });
  });

  it('have the same outcomes when they are filtered early', async () => {
    const some = invoices.filter((_, i) => i % 24 === 0);
    const { outcomes, stored } = await count(retailOrders, some, 1);
    const early = await count(retailOrders, some, 50, parseTopology(topology('filter-early')).topology);
    expect(early.outcomes).toEqual(outcomes);
    expect(early.stored).toBe(stored);
  });
});

it('generated invoices survive their file, are made once, and none is dead', async () => {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'retail-orders-'));
  try {
    const { path, origin } = await locateInvoices({ cacheFolder, count: 300, seed: 3 });
    expect(origin).toBe('generated');
    const invoices = readInvoices(path);
    expect(invoices).toEqual([...generateInvoices({ count: 300, seed: 3 })]);
    expect(await locateInvoices({ cacheFolder, count: 300, seed: 3 })).toEqual({ path, origin, invoices: 300 });
    const { counts, stored } = await count(quick, invoices, 50);
    expect(counts['dead']).toBeUndefined();
    expect(counts['completed']).toBe(stored);
  } finally {
    await rm(cacheFolder, { recursive: true });
  }
});
