import type { PipelineSpec } from '@autoflow/pipeline';
import type { SourceSettings } from '@autoflow/store';
import { csvSource, type Required } from './csv.js';
import { jsonlSource } from './jsonl.js';
import { postgresSource } from './postgres.js';
import { SourceError, type Source } from './source.js';

export { SourceError, type Source, type SourceRecord } from './source.js';

/** `secret` answers the value of a secret of this worker. */
export function openSource(settings: SourceSettings, spec: PipelineSpec, secret: (name: string) => string | undefined): Source {
  switch (settings.kind) {
    case 'csv':
      return csvSource(settings, requiredBy(spec, settings.groupBy));
    case 'jsonl':
      return jsonlSource(settings.path);
    case 'postgres':
      return postgresSource({ connectionString: connectionString(settings.secret, secret), query: settings.query });
  }
}

function connectionString(name: string, secret: (name: string) => string | undefined): string {
  const value = secret(name);
  if (value === undefined || !/^postgres(ql)?:\/\//.test(value))
    throw new SourceError(
      'SOURCE_SECRET',
      `the worker that feeds has no secret ${name} that holds a connection string; give it one of the form postgres://user:password@host:port/database (AUTOFLOW_SECRET_${name}) and start the backfill again`,
    );
  return value;
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
