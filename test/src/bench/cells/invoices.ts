import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { Source } from '@autoflow/client';
import type { Fields, PipelineSpec } from '@autoflow/pipeline';
import { locateInvoices } from '@autoflow/retail-orders';
import { openSource } from '@autoflow/worker';

const ENOUGH = 5_000;

export interface Invoices {
  readonly about: string;
  readonly all: readonly Fields[];
  /** Over and over; the caller makes their keys unique. */
  readonly next: () => Fields;
  /** The same, from there on: sides that are compared get the same ones. */
  from(at: number): () => Fields;
  /** Of the file that they are in. */
  readonly source: Source;
}

/** The first real invoices where `AUTOFLOW_DATA` has them, else generated ones. */
export async function invoices(spec: PipelineSpec): Promise<Invoices> {
  const { path, origin } = await locateInvoices({
    dataFolder: process.env['AUTOFLOW_DATA'],
    cacheFolder: join(tmpdir(), 'autoflow-invoices'),
  });
  const source = { kind: 'csv', path, groupBy: 'InvoiceNo' } as const;
  const opened = await openSource(source, spec, { secret: () => undefined });
  const all: Fields[] = [];
  for await (const { fields } of opened.records(0)) if (all.push(fields) >= ENOUGH) break;
  const from = (at: number): (() => Fields) => {
    let next = at;
    return () => all[next++ % all.length]!;
  };
  const about = `the first ${ENOUGH} ${origin} invoices, over and over, Poisson arrivals`;
  return { about, all, next: from(0), from, source };
}
