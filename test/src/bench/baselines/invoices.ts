import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { Fields, PipelineSpec } from '@autoflow/pipeline';
import { generateInvoices, locateInvoices } from '@autoflow/retail-orders';
import { openSource } from '@autoflow/worker';

const ENOUGH = 5_000;

/** The first real invoices where `AUTOFLOW_DATA` has them, else generated ones; over and over, the caller makes their keys unique. */
export async function invoices(spec: PipelineSpec): Promise<{ readonly about: string; readonly next: () => Fields }> {
  const dataFolder = process.env['AUTOFLOW_DATA'];
  const found =
    dataFolder === undefined ? undefined : await locateInvoices({ dataFolder, cacheFolder: join(tmpdir(), 'autoflow-invoices') });
  const records: Fields[] = [];
  if (found?.origin === 'real') {
    const source = await openSource({ kind: 'csv', path: found.path, groupBy: 'InvoiceNo' }, spec, { secret: () => undefined });
    for await (const { fields } of source.records(0)) if (records.push(fields) >= ENOUGH) break;
  } else records.push(...generateInvoices({ seed: 7, count: ENOUGH }));
  let at = 0;
  const about = `${found?.origin === 'real' ? 'the first' : 'generated'} ${ENOUGH} ${found?.origin === 'real' ? 'real ' : ''}invoices, over and over, Poisson arrivals`;
  return { about, next: () => records[at++ % records.length]! };
}
