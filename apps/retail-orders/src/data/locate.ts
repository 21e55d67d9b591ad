import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeInvoices } from './csv.js';
import { generateInvoices } from './generate.js';

/** Invoices in the real file. */
export const REAL_INVOICES = 24_384;

export interface InvoiceFile {
  readonly path: string;
  readonly origin: 'real' | 'generated';
  readonly invoices: number;
}

/**
 * The real file when `dataFolder` holds it; otherwise a generated one of the same size and form in `cacheFolder`, made once
 * (some seconds, 7 MB) and kept.
 */
export async function locateInvoices({ dataFolder, cacheFolder, seed = 1, count = REAL_INVOICES }: LocateOptions): Promise<InvoiceFile> {
  const real = dataFolder && join(dataFolder, 'online-retail', 'online-retail.csv.gz');
  if (real && existsSync(real)) return { path: real, origin: 'real', invoices: REAL_INVOICES };

  const path = join(cacheFolder, `retail-invoices-${seed}-${count}.csv.gz`);
  if (!existsSync(path)) {
    await mkdir(cacheFolder, { recursive: true });
    await writeInvoices(path, generateInvoices({ seed, count }));
  }
  return { path, origin: 'generated', invoices: count };
}

export interface LocateOptions {
  readonly dataFolder?: string | undefined;
  readonly cacheFolder: string;
  readonly seed?: number;
  readonly count?: number;
}
