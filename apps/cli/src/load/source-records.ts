import type { Fields, PipelineSpec } from '@autoflow/pipeline';
import { usage } from '../errors.js';

/** So many are kept and sent over and over, with keys of their own each time: memory is bounded whatever the source. */
const MOST_RECORDS = 25_000;

export interface SourceRecords {
  readonly about: string;
  readonly records: readonly Fields[];
}

/** Of a file, as a backfill reads it. */
export async function recordsOfFile(
  source:
    | { readonly kind: 'csv'; readonly path: string; readonly groupBy?: string | undefined }
    | { readonly kind: 'jsonl'; readonly path: string },
  spec: PipelineSpec,
): Promise<SourceRecords> {
  const { openSource } = await import('@autoflow/worker');
  const { groupBy, ...file } = source as { kind: 'csv'; path: string; groupBy?: string };
  const opened = await openSource({ ...file, ...(groupBy !== undefined && { groupBy }) }, spec, { secret: () => undefined });
  const records: Fields[] = [];
  for await (const { fields, problem } of opened.records(0)) {
    if (problem === undefined) records.push(fields);
    if (records.length === MOST_RECORDS) break;
  }
  if (records.length === 0) throw usage(`There is no record in ${source.path}.`);
  return { about: `${records.length} records of the source, over and over`, records };
}

/** Only the example has a generator. */
export async function generatedRecords(pipeline: string, seed: number): Promise<SourceRecords> {
  if (pipeline !== 'retail-orders') throw usage(`There is no generator of records for ${pipeline}: give --source a .csv or .jsonl file.`);
  const { generateInvoices } = await import('@autoflow/retail-orders');
  const records = [...generateInvoices({ seed, count: MOST_RECORDS })];
  return { about: `${records.length} generated invoices, over and over`, records };
}

/** When each invoice was booked, by the shop's clock. */
export function bookedAt(records: readonly Fields[]): number[] {
  return records.flatMap(({ rows }) => {
    const [first] = Array.isArray(rows) ? (rows as { InvoiceDate?: unknown }[]) : [];
    const time = typeof first?.InvoiceDate === 'string' ? Date.parse(`${first.InvoiceDate.replace(' ', 'T')}Z`) : Number.NaN;
    return Number.isNaN(time) ? [] : [time];
  });
}
