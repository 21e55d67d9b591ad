import { testPipeline } from '@autoflow/pipeline/testing';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { generateInvoices } from './data/generate.js';
import { locateInvoices, REAL_INVOICES } from './data/locate.js';
import { readInvoices } from './data/read-invoices.testing.js';
import { fakes, MemoryOrders } from './fakes.js';
import { retailOrders } from './pipeline.js';
import type { RawInvoice } from './records.js';

const dataFolder = process.env['AUTOFLOW_DATA'];
const isHere = dataFolder !== undefined && existsSync(join(dataFolder, 'online-retail'));
if (!isHere) console.log('skipped: the real invoices; set AUTOFLOW_DATA to the folder that holds online-retail/online-retail.csv.gz');

async function count(invoices: readonly RawInvoice[], batchSize: number) {
  const database = new MemoryOrders();
  const counts: Record<string, number> = {};
  for (const outcome of await testPipeline(retailOrders, invoices, { fakes: fakes(database), batchSize })) {
    const what = outcome.state === 'filtered' ? `filtered: ${outcome.reason}` : outcome.state;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return { counts, stored: database.orders.size };
}

it.skipIf(!isHere)('of the 24,384 real invoices 7,025 (28.8 %) are filtered, 17,359 completed, none dead', { timeout: 300_000 }, async () => {
  const { path, origin } = await locateInvoices({ dataFolder, cacheFolder: tmpdir() });
  expect(origin).toBe('real');
  const invoices = readInvoices(path);
  expect(invoices).toHaveLength(REAL_INVOICES);
  expect(await count(invoices, 500)).toEqual({
    counts: { completed: 17_359, 'filtered: a cancellation': 3_630, 'filtered: no customer': 3_391, 'filtered: no line of worth': 4 },
    stored: 17_359,
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
    const { counts, stored } = await count(invoices, 50);
    expect(counts['dead']).toBeUndefined();
    expect(counts['completed']).toBe(stored);
  } finally {
    await rm(cacheFolder, { recursive: true });
  }
});
