import type { PipelineSpec } from '@autoflow/pipeline';
import type { SourceSettings } from '@autoflow/store';
import { readablePath } from './allowed-folders.js';
import { csvSource, type Required } from './csv.js';
import { jsonlSource } from './jsonl.js';
import { postgresSource } from './postgres.js';
import { SourceError, type Source } from './source.js';

export { SourceError, type Source, type SourceRecord } from './source.js';

/** What a backfill may read of this worker. */
export interface SourceAccess {
  /** Value of a secret of this worker. */
  readonly secret: (name: string) => string | undefined;
  /** Files lie in one of these folders; undefined: anywhere. */
  readonly folders?: readonly string[];
}

/** Throws `SourceError` when the settings name something that a backfill may not read. */
export async function openSource(settings: SourceSettings, spec: PipelineSpec, { secret, folders }: SourceAccess): Promise<Source> {
  if (settings.kind === 'postgres')
    return postgresSource({ connectionString: connectionString(settings.secret, secret), query: settings.query });
  const path = await readablePath(settings.path, folders);
  return settings.kind === 'csv' ? csvSource({ ...settings, path }, requiredBy(spec, settings.groupBy)) : jsonlSource(path);
}

/** The prefix keeps backfills from the secrets of pipelines: whoever starts one chooses the name. */
const SOURCE_SECRET = /^SOURCE_[A-Z0-9_]+$/;

function connectionString(name: string, secret: (name: string) => string | undefined): string {
  if (!SOURCE_SECRET.test(name))
    throw new SourceError(
      'SOURCE_SECRET',
      `${name} is no secret for sources: their names begin with SOURCE_. Give the worker AUTOFLOW_SECRET_SOURCE_NAME, and name it SOURCE_NAME in the backfill`,
    );
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
