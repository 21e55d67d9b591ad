import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RawInvoice, Row } from '../records.js';

/** All invoices of a CSV file (.gz too), for tests only: in memory, lines of an invoice together, in the order of their first line. */
export function readInvoices(path: string): RawInvoice[] {
  const bytes = readFileSync(path);
  const [header, ...rows] = parseCsv((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
  const invoices = new Map<string, Row[]>();
  for (const cells of rows) {
    const { InvoiceNo, ...row } = Object.fromEntries(header!.map((column, i) => [column, cells[i]!]));
    const known = invoices.get(InvoiceNo!);
    if (known) known.push(row as Row);
    else invoices.set(InvoiceNo!, [row as Row]);
  }
  return [...invoices].map(([InvoiceNo, rows]) => ({ InvoiceNo, rows }));
}

/** RFC 4180: each match is one cell and what ends it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n"]*))(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end !== ',') rows.push([]);
  }
  return rows.filter((cells) => cells.length > 1);
}
