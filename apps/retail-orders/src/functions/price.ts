import { defineExpand, defineReduce } from '@autoflow/pipeline';
import { z } from 'zod';
import { Invoice } from '../records.js';

const PricedLine = z.object({ category: z.string(), amountPence: z.int(), isWorth: z.boolean() });

/** Opens an invoice: one child per line. */
export const splitLines = defineExpand('split-lines', {
  reads: Invoice.pick({ lines: true }),
  writes: PricedLine,
  children: ({ lines }) =>
    lines.map(({ stockCode, quantity, unitPence }) => ({
      category: categoryOf(stockCode),
      amountPence: quantity * unitPence || 0, // -6 × 0 is -0, which JSON does not keep
      isWorth: quantity > 0 && unitPence > 0,
    })),
});

/** Closes it again: revenue of the invoice by category. Integers, so that the order of the lines cannot matter. */
export const revenueByCategory = defineReduce('revenue-by-category', {
  reads: PricedLine,
  key: ['category'],
  into: 'revenue',
  zero: { pence: 0, lines: 0, worth: 0 },
  add: (sum, line) => ({ pence: sum.pence + line.amountPence, lines: sum.lines + 1, worth: sum.worth + (line.isWorth ? 1 : 0) }),
  merge: (a, b) => ({ pence: a.pence + b.pence, lines: a.lines + b.lines, worth: a.worth + b.worth }),
});

/** Products have numbers (with a letter for a colour); what is written in letters is a service or an entry of the accounts. */
function categoryOf(stockCode: string): string {
  const code = stockCode.toUpperCase();
  if (/^\d/.test(code) || code.startsWith('DCGS') || code === 'PADS') return 'goods';
  if (code.startsWith('GIFT_')) return 'vouchers';
  return SERVICES.get(code) ?? 'other';
}
const SERVICES: ReadonlyMap<string, string> = new Map([
  ['POST', 'shipping'],
  ['DOT', 'shipping'],
  ['C2', 'shipping'],
  ['D', 'discounts'],
  ['S', 'samples'],
  ['AMAZONFEE', 'fees'],
  ['BANK CHARGES', 'fees'],
  ['CRUK', 'fees'],
]);
