import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { RawInvoice, Row } from '../records.js';

/** The columns of the retailer's file. A CSV source that groups by the first makes records of this pipeline. */
export const COLUMNS = ['InvoiceNo', 'StockCode', 'Description', 'Quantity', 'InvoiceDate', 'UnitPrice', 'CustomerID', 'Country'] as const;

/** Writes invoices as a gzipped CSV file in the retailer's form. The file appears whole or not at all. */
export async function writeInvoices(path: string, invoices: Iterable<RawInvoice>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  await pipeline(Readable.from(csv(invoices)), createGzip({ level: 6 }), createWriteStream(partial));
  await rename(partial, path);
}

/** Piece by piece, the head first. */
export function* csv(invoices: Iterable<RawInvoice>): Generator<string> {
  yield `${COLUMNS.join()}\n`;
  for (const { InvoiceNo, rows } of invoices) yield rows.map((row) => `${csvLine({ InvoiceNo, ...row })}\n`).join('');
}

const csvLine = (row: Row & { InvoiceNo: string }): string => COLUMNS.map((column) => quoted(row[column])).join();

/** RFC 4180. */
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
