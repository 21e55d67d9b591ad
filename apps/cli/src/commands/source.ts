import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Source } from '@autoflow/client';
import { usage } from '../errors.js';

export interface SourceOptions {
  readonly source: string;
  readonly groupBy?: string | undefined;
  readonly query?: string | undefined;
}

/** What `--source` means: a file by its ending, or a database by the name of the secret that holds its address. */
export function sourceOf({ source, groupBy, query }: SourceOptions): Source {
  if (/^postgres(ql)?:\/\//.test(source))
    throw usage(
      'A connection string holds a password. Give it to the worker as a secret (AUTOFLOW_SECRET_SOURCE_SHOP=…, the name begins with SOURCE_) and write --source secret:SOURCE_SHOP.',
    );
  if (source.startsWith('secret:')) {
    if (query === undefined) throw usage('A Postgres source needs --query.');
    if (!/^secret:SOURCE_[A-Z0-9_]+$/.test(source)) throw usage(`A source's secret is named SOURCE_…, in capitals; ${source} is not.`);
    return { kind: 'postgres', secret: source.slice('secret:'.length), query };
  }
  const path = resolve(source);
  const kind = /\.csv(\.gz)?$/i.test(path) ? 'csv' : /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? 'jsonl' : undefined;
  if (kind === undefined)
    throw usage(`${source} is neither .csv, .jsonl, .ndjson (each with .gz too), nor secret:SOURCE_NAME of a database.`);
  if (!existsSync(path)) throw usage(`There is no file ${path}.`);
  if (kind === 'jsonl') return { kind, path };
  return { kind, path, ...(groupBy !== undefined && { groupBy }) };
}
