import { defineFunction, TerminalError } from '@autoflow/pipeline';
import { parsePence } from '../money.js';
import { Invoice, RawInvoice, type Line, type Row } from '../records.js';

/** Text to typed fields. What belongs to the invoice as a whole is taken from its first line. */
export const parseInvoice = defineFunction('parse-invoice', {
  effect: 'pure',
  reads: RawInvoice.pick({ rows: true }),
  writes: Invoice,
  handle: ({ rows }) => {
    const [first] = rows;
    if (!first) throw invalid('it has no lines', 'send at least one line');
    return {
      ...parseDate(first.InvoiceDate),
      country: first.Country.trim(),
      customerId: parseCustomer(first.CustomerID),
      lines: rows.map(parseLine),
    };
  },
});

function parseLine({ StockCode, Quantity, UnitPrice }: Row, at: number): Line {
  const quantity = /^\s*-?\d{1,9}\s*$/.test(Quantity) ? Number(Quantity) : undefined;
  const unitPence = parsePence(UnitPrice);
  if (quantity === undefined) throw invalid(`line ${at + 1} has the quantity '${Quantity}'`, 'write a whole number');
  if (unitPence === undefined) throw invalid(`line ${at + 1} has the price '${UnitPrice}'`, 'write pounds as a decimal number');
  return { stockCode: StockCode.trim(), quantity, unitPence };
}

/** The file writes customers as floats (`17850.0`) and leaves them out where the buyer is not known. */
function parseCustomer(text: string): number | null {
  if (text.trim() === '') return null;
  const match = /^\s*(\d{1,9})(?:\.0*)?\s*$/.exec(text);
  if (!match) throw invalid(`the customer is '${text}'`, 'write a number, or nothing');
  return Number(match[1]);
}

/** `2010-12-01 08:26:00`, or `12/1/2010 8:26` as the spreadsheet edition of the same data has it. */
function parseDate(text: string): { day: string; hour: number } {
  const iso = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):\d\d/.exec(text);
  const sheet = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):\d\d/.exec(text);
  const [year, month, date, hour] = iso ? iso.slice(1) : sheet ? [sheet[3], sheet[1], sheet[2], sheet[4]] : [];
  const day = `${year}-${month?.padStart(2, '0')}-${date?.padStart(2, '0')}`;
  if (!isDay(day) || Number(hour) > 23) throw invalid(`the date is '${text}'`, 'write it as 2010-12-01 08:26:00');
  return { day, hour: Number(hour) };
}

function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

const invalid = (found: string, remedy: string): TerminalError =>
  new TerminalError('INVALID_INVOICE', `the invoice cannot be read: ${found}; ${remedy}`);
