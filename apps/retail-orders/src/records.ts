import { sensitive } from '@autoflow/pipeline';
import { z } from 'zod';

/** One line of the retailer's CSV file, as text: nothing is assumed about it until `parse-invoice` has read it. */
export const Row = z.object({
  StockCode: z.string(),
  Description: z.string(),
  Quantity: z.string(),
  InvoiceDate: z.string(),
  UnitPrice: z.string(),
  CustomerID: sensitive(z.string()),
  Country: z.string(),
});
export type Row = z.output<typeof Row>;

/** One record of the pipeline: an invoice with its lines, as a CSV source grouped by `InvoiceNo` makes it. */
export const RawInvoice = z.object({ InvoiceNo: z.string(), rows: z.array(Row) });
export type RawInvoice = z.output<typeof RawInvoice>;

/** What `parse-invoice` adds. Prices are integer pence; the retailer books in pounds whatever the customer's country. */
export const Line = z.object({ stockCode: z.string(), quantity: z.int(), unitPence: z.int() });
export type Line = z.output<typeof Line>;
export const Invoice = z.object({
  /** `2010-12-01`, by the shop's clock. */
  day: z.string(),
  hour: z.int(),
  country: z.string(),
  customerId: sensitive(z.int().nullable()),
  lines: z.array(Line),
});
export type Invoice = z.output<typeof Invoice>;

/** What `look-up-rate` adds: millionths of a unit of the customer's currency for one pound. */
export const Rate = z.object({ currency: z.string(), rateMicros: z.int() });

/** What `look-up-customer` adds. */
export const Customer = z.object({ name: z.string(), segment: z.string(), since: z.string() });
export const KnownCustomer = z.object({ customer: Customer.nullable() });

/** What `score-fraud` adds: 0 (ordinary) to 1000 (no ordinary basket is as unusual). */
export const Risk = z.object({ riskPermille: z.int() });

/** What `revenue-by-category` adds, sorted by category. `worth` counts the lines with a quantity and a price above nothing. */
export const CategoryRevenue = z.object({ category: z.string(), pence: z.int(), lines: z.int(), worth: z.int() });
export const Revenue = z.object({ revenue: z.array(CategoryRevenue) });

/** What `store-order` adds: the total in pence, and in minor units of the customer's currency. */
export const Totals = z.object({ totalPence: z.int(), totalMinor: z.int() });

/** What a caller gets for a completed invoice. */
export const Receipt = z.object({
  InvoiceNo: z.string(),
  customer: Customer.nullable(),
  currency: z.string(),
  riskPermille: z.int(),
  revenue: z.array(CategoryRevenue),
  totalPence: z.int(),
  totalMinor: z.int(),
});
