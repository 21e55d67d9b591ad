/** The example a user would copy: 7 functions, two parallel branches, a filter, a keyed reduce, an HTTP lookup in batches, a Postgres sink. */
import { z } from 'zod';
import { defineExpand, defineFilter, defineFunction, definePipeline, defineReduce, defineResource, join, TerminalError } from '../index.js';

// ── What crosses the border ──

const Line = z.object({ stockCode: z.string(), quantity: z.int(), unitPrice: z.number() });
const RawInvoice = z.object({
  invoiceNo: z.string(),
  invoicedAt: z.iso.datetime(),
  country: z.string(),
  customerId: z.string().nullable(),
  lines: z.array(Line),
});
const Receipt = z.object({ invoiceNo: z.string(), revenueGbp: z.number(), risk: z.number(), stored: z.boolean() });

// ── Resources ──

export interface Rates {
  on(day: string, currencies: readonly string[]): Promise<Record<string, number | undefined>>;
}
export const rates = defineResource({
  name: 'exchange-rates',
  secrets: ['RATES_TOKEN'],
  limit: { perSecond: 50, concurrency: 10 },
  open: ({ secret, signal }): Rates => ({
    async on(day, currencies) {
      const url = `https://rates.example/${day}?symbols=${currencies.join()}`;
      const answer = await fetch(url, { headers: { authorization: `Bearer ${secret('RATES_TOKEN')}` }, signal });
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`); // anything thrown is retried
      return (await answer.json()) as Record<string, number>;
    },
  }),
});
export interface Orders {
  query(sql: string, values: readonly unknown[]): Promise<{ rowCount: number | null; rows: { invoice_no: string }[] }>;
  end(): Promise<void>;
}
declare function openPool(url: string): Orders;
export const orders = defineResource({
  name: 'orders',
  secrets: ['ORDERS_DATABASE_URL'],
  limit: { concurrency: 20 },
  open: ({ secret }) => openPool(secret('ORDERS_DATABASE_URL')),
  close: (pool) => pool.end(),
});

// ── Functions ──

export const isSale = defineFilter('is-sale', {
  reads: RawInvoice.pick({ invoiceNo: true, lines: true }),
  keep: ({ invoiceNo, lines }) =>
    invoiceNo.startsWith('C')
      ? 'a cancellation'
      : lines.some((l) => l.quantity <= 0 || l.unitPrice <= 0)
        ? 'a line without quantity or price'
        : true,
});

const CURRENCY: Record<string, string> = { 'United Kingdom': 'GBP', France: 'EUR', Germany: 'EUR', USA: 'USD' };
export const findCurrency = defineFunction('find-currency', {
  effect: 'pure',
  reads: RawInvoice.pick({ country: true }),
  writes: z.object({ currency: z.string() }),
  handle: ({ country }) => ({ currency: CURRENCY[country] ?? 'GBP' }),
});

export const lookUpRate = defineFunction('look-up-rate', {
  effect: 'read',
  uses: { rates },
  memo: { ttlMs: 3_600_000 },
  timeoutMs: 5_000,
  reads: z.object({ currency: z.string(), invoicedAt: z.string() }),
  writes: z.object({ toGbp: z.number() }),
  async handleBatch(invoices, { rates }) {
    const currencies = [...new Set(invoices.map((i) => i.currency))];
    const days = [...new Set(invoices.map((i) => i.invoicedAt.slice(0, 10)))];
    const found = new Map(await Promise.all(days.map(async (day) => [day, await rates.on(day, currencies)] as const)));
    return invoices.map(({ currency, invoicedAt }) => {
      const toGbp = found.get(invoicedAt.slice(0, 10))?.[currency];
      return toGbp === undefined ? new TerminalError('RATE_UNKNOWN', `there is no rate for ${currency}`) : { toGbp };
    });
  },
});

export const splitLines = defineExpand('lines', {
  reads: RawInvoice.pick({ lines: true }),
  writes: z.object({ category: z.string(), amount: z.number() }),
  children: ({ lines }) =>
    lines.map((l) => ({ category: /^\d/.test(l.stockCode) ? 'goods' : 'services', amount: l.quantity * l.unitPrice })),
});

export const revenueByCategory = defineReduce('revenue-by-category', {
  reads: z.object({ category: z.string(), amount: z.number() }),
  key: ['category'],
  into: 'revenue',
  zero: { sum: 0, lines: 0 },
  add: (a, line) => ({ sum: a.sum + line.amount, lines: a.lines + 1 }),
  merge: (a, b) => ({ sum: a.sum + b.sum, lines: a.lines + b.lines }),
});

const Revenue = z.object({ revenue: z.array(z.object({ category: z.string(), sum: z.number(), lines: z.number() })) });
export const scoreFraud = defineFunction('score-fraud', {
  effect: 'pure',
  reads: RawInvoice.pick({ customerId: true }).extend(Revenue.shape),
  writes: z.object({ risk: z.number() }),
  handle: ({ customerId, revenue }) => ({
    risk: (customerId ? 0 : 0.5) + Math.min(0.5, revenue.reduce((sum, r) => sum + r.sum, 0) / 100_000),
  }),
});

export const storeOrder = defineFunction('store-order', {
  effect: 'idempotent-write',
  uses: { db: orders },
  reads: Revenue.extend({ invoiceNo: z.string(), toGbp: z.number(), risk: z.number() }),
  writes: z.object({ revenueGbp: z.number(), stored: z.boolean() }),
  async handleBatch(batch, { db, keys }) {
    const rows = batch.map((o, i) => ({
      key: keys[i],
      no: o.invoiceNo,
      gbp: o.toGbp * o.revenue.reduce((s, r) => s + r.sum, 0),
      risk: o.risk,
    }));
    const { rows: fresh } = await db.query(
      `insert into orders (idempotency_key, invoice_no, revenue_gbp, risk)
       select * from jsonb_to_recordset($1) as r(key text, no text, gbp numeric, risk real)
       on conflict (idempotency_key) do nothing returning invoice_no`,
      [JSON.stringify(rows)],
    );
    return rows.map(({ gbp, no }) => ({ revenueGbp: gbp, stored: fresh.some((r) => r.invoice_no === no) }));
  },
});

// ── Pipeline ──

export const retailOrders = definePipeline('retail-orders', { input: RawInvoice, key: 'invoiceNo', output: Receipt }, (invoice) => {
  const sale = isSale(invoice);
  const rated = lookUpRate(findCurrency(sale)); // one branch
  const totals = revenueByCategory(splitLines(sale)); // the other: opens and closes a scope
  const scored = scoreFraud(join(sale, totals));
  return storeOrder(join(rated, scored)); // both, by the invoice's identity
});
