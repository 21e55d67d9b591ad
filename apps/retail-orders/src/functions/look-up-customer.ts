import { defineFunction } from '@autoflow/pipeline';
import { Invoice, KnownCustomer } from '../records.js';
import { ordersDatabase } from '../resources/orders-database.js';

/** Who bought: by primary key, one query for the batch. A buyer without a number, or not in the table yet, is `null`. */
export const lookUpCustomer = defineFunction('look-up-customer', {
  effect: 'read',
  uses: { database: ordersDatabase },
  timeoutMs: 10_000,
  reads: Invoice.pick({ customerId: true }),
  writes: KnownCustomer,
  async handleBatch(invoices, { database }) {
    const ids = [...new Set(invoices.flatMap(({ customerId }) => customerId ?? []))];
    const found = await database.query<{ id: number; name: string; segment: string; since: string }>(
      'select id, name, segment, since::text from retail_orders.customers where id = any($1::int[])',
      [ids],
    );
    const customers = new Map(found.map(({ id, ...customer }) => [id, customer]));
    return invoices.map(({ customerId }) => ({ customer: (customerId !== null && customers.get(customerId)) || null }));
  },
});
