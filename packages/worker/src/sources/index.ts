import type { PipelineSpec } from '@autoflow/pipeline';
import type { SourceSettings } from '@autoflow/store';
import { csvSource, type Required } from './csv.js';
import { jsonlSource } from './jsonl.js';
import { postgresSource } from './postgres.js';
import type { Source } from './source.js';

export { SourceError, type Source, type SourceRecord } from './source.js';

export function openSource(settings: SourceSettings, spec: PipelineSpec): Source {
  switch (settings.kind) {
    case 'csv':
      return csvSource(settings, requiredBy(spec, settings.groupBy));
    case 'jsonl':
      return jsonlSource(settings.path);
    case 'postgres':
      return postgresSource(settings);
  }
}

interface ObjectSchema {
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: { readonly items?: ObjectSchema } | undefined };
}

/** What the input schema requires, so that a file with another header is refused at once and not record by record. */
function requiredBy(spec: PipelineSpec, groupBy: string | undefined): Required {
  const schema = spec.schemas.input as unknown as ObjectSchema;
  const rows = schema.properties?.['rows']?.items?.required ?? [];
  return { record: schema.required ?? [], row: groupBy === undefined ? [] : rows.filter((name) => name !== groupBy) };
}
