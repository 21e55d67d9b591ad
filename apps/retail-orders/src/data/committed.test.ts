/** The files in `data`, which the README's first commands use. `vitest -u` writes invoices.csv again. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { testPipeline } from '@autoflow/pipeline/testing';
import { expect, it } from 'vitest';
import { fakes } from '../fakes.js';
import { retailOrders } from '../pipeline.js';
import { RawInvoice } from '../records.js';
import { csv } from './csv.js';
import { generateInvoices } from './generate.js';
import { readInvoices } from './read-invoices.testing.js';

const file = (name: string) => fileURLToPath(new URL(`../../data/${name}`, import.meta.url));

it('invoice.json is one record, and becomes an order', async () => {
  const invoice = RawInvoice.parse(JSON.parse(readFileSync(file('invoice.json'), 'utf8')));
  const [outcome] = await testPipeline(retailOrders, [invoice], { fakes: fakes() });
  expect(outcome).toMatchObject({ state: 'completed', output: { InvoiceNo: '536370', currency: 'EUR', totalPence: 17_088 } });
});

it('invoices.csv holds generated invoices, of every kind', async () => {
  const generated = [...generateInvoices({ seed: 1, count: 180 })];
  await expect([...csv(generated)].join('')).toMatchFileSnapshot(file('invoices.csv'));
  const invoices = readInvoices(file('invoices.csv'));
  expect(invoices).toEqual(generated);
  expect(readFileSync(file('invoices.csv')).length).toBeLessThan(300_000);
  const outcomes = await testPipeline(retailOrders, invoices.slice(0, 50), { fakes: fakes(), batchSize: 50 });
  expect(new Set(outcomes.map(({ state }) => state))).toEqual(new Set(['completed', 'filtered']));
});
