import { defineFunction } from '@autoflow/pipeline';
import { convertPence } from '../money.js';
import { Invoice, KnownCustomer, Rate, RawInvoice, Revenue, Risk, Totals } from '../records.js';
import { ordersDatabase } from '../resources/orders-database.js';

/** Writes the order, once however often it is asked to: the idempotency key is the primary key. One statement for the batch. */
export const storeOrder = defineFunction('store-order', {
  effect: 'idempotent-write',
  uses: { database: ordersDatabase },
  timeoutMs: 20_000,
  reads: RawInvoice.pick({ InvoiceNo: true })
    .extend(Invoice.pick({ day: true, customerId: true }).shape)
    .extend(Rate.shape)
    .extend(KnownCustomer.shape)
    .extend(Risk.shape)
    .extend(Revenue.shape),
  writes: Totals,
  async handleBatch(orders, { database, keys }) {
    const totals = orders.map(({ revenue, currency, rateMicros }) => {
      const totalPence = revenue.reduce((sum, { pence }) => sum + pence, 0);
      return { totalPence, totalMinor: convertPence(totalPence, currency, rateMicros) };
    });
    const rows = orders.map((order, i) => ({
      idempotency_key: keys[i],
      invoice_no: order.InvoiceNo,
      day: order.day,
      customer_id: order.customerId,
      segment: order.customer?.segment ?? 'new',
      currency: order.currency,
      total_pence: totals[i]?.totalPence,
      total_minor: totals[i]?.totalMinor,
      risk_permille: order.riskPermille,
      revenue: order.revenue,
    }));
    await database.query(UPSERT, [JSON.stringify(rows)]);
    return totals;
  },
});

const UPSERT = `
  insert into retail_orders.orders as o
    (idempotency_key, invoice_no, day, customer_id, segment, currency, total_pence, total_minor, risk_permille, revenue)
  select * from jsonb_to_recordset($1::jsonb) as r
    (idempotency_key text, invoice_no text, day date, customer_id int, segment text, currency text,
     total_pence bigint, total_minor bigint, risk_permille int, revenue jsonb)
  on conflict (idempotency_key) do update set
    segment = excluded.segment, currency = excluded.currency, total_pence = excluded.total_pence,
    total_minor = excluded.total_minor, risk_permille = excluded.risk_permille, revenue = excluded.revenue`;
