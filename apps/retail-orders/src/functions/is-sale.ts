import { defineFilter } from '@autoflow/pipeline';
import { Invoice, RawInvoice, Revenue } from '../records.js';

/** Keeps what is to become an order: 71.2 % of the real invoices. */
export const isSale = defineFilter('is-sale', {
  reads: RawInvoice.pick({ InvoiceNo: true })
    .extend(Invoice.pick({ customerId: true }).shape)
    .extend(Revenue.shape),
  keep: ({ InvoiceNo, customerId, revenue }) => {
    if (InvoiceNo.startsWith('C')) return 'a cancellation';
    if (customerId === null) return 'no customer';
    if (revenue.every(({ worth }) => worth === 0)) return 'no line of worth';
    return true;
  },
});
