import { definePipeline, join } from '@autoflow/pipeline';
import { isSale } from './functions/is-sale.js';
import { lookUpCustomer } from './functions/look-up-customer.js';
import { lookUpRate } from './functions/look-up-rate.js';
import { parseInvoice } from './functions/parse-invoice.js';
import { revenueByCategory, splitLines } from './functions/price.js';
import { scoreFraud } from './functions/score-fraud.js';
import { storeOrder } from './functions/store-order.js';
import { RawInvoice, Receipt } from './records.js';

/**
 * Invoices to orders, one step after the other, in the order in which one would think of them. That is correct and wasteful: three
 * invoices in ten are looked up and scored before the filter drops them. What a function reads and writes is all that fixes the
 * order; AutoFlow may run the rest in any other.
 */
export const retailOrders = definePipeline('retail-orders', { input: RawInvoice, key: 'InvoiceNo', output: Receipt }, (raw) => {
  const invoice = parseInvoice(raw);
  const rated = lookUpRate(invoice);
  const known = lookUpCustomer(rated);
  const scored = scoreFraud(known);
  const priced = join(scored, revenueByCategory(splitLines(scored)));
  return storeOrder(isSale(priced));
});

export default retailOrders;
