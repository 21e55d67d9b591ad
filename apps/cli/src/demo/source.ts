import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { locateInvoices, REAL_INVOICES } from '@autoflow/retail-orders';
import type { Source } from '@autoflow/client';
import { usage } from '../errors.js';

export interface DemoSource {
  readonly origin: 'real' | 'generated' | 'own';
  /** Name of the file, for the report: without the folders of this machine. */
  readonly file: string;
  readonly about: string;
  readonly settings: Source;
}

/** The user's own file, else the real invoices when `AUTOFLOW_DATA` holds them, else generated ones. */
export async function demoSource(options: {
  own: string | undefined;
  dataFolder?: string | undefined;
  cacheFolder: string;
}): Promise<DemoSource> {
  if (options.own !== undefined) {
    const path = resolve(options.own);
    if (!existsSync(path))
      throw usage(`There is no file ${path}. Give --source a CSV file (.gz too) with the columns of the retailer's invoices.`);
    return source('own', path, 'your own invoices');
  }
  const { path, origin, invoices } = await locateInvoices(options);
  const size = invoices.toLocaleString('en-GB');
  if (origin === 'real')
    return source(origin, path, `${size} real invoices of a UK retailer, 28.8 % of them no sale (UCI Online Retail, CC BY 4.0)`);
  return source(
    origin,
    path,
    `${size} invoices, generated after the statistics of the ${REAL_INVOICES.toLocaleString('en-GB')} real ones (with AUTOFLOW_DATA set: the real ones)`,
  );
}

function source(origin: DemoSource['origin'], path: string, about: string): DemoSource {
  return { origin, file: basename(path), about, settings: { kind: 'csv', path, groupBy: 'InvoiceNo' } };
}
