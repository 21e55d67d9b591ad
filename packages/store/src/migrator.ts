/**
 * Forward-only numbered migrations. All outstanding ones are applied in one transaction under an advisory lock, so that many processes may
 * start at once and a crash leaves the schema as it was. A schema that is newer than this program, or whose history differs, is refused.
 */
import { createHash } from 'node:crypto';
import type { Database, Sql } from './database.js';
import { SchemaError } from './errors.js';

export interface Migration {
  /** `0001-definitions`: the number decides the order. */
  readonly name: string;
  readonly sql: string;
}

/** Any constant will do; it only must not be used by others in the same database. */
const LOCK = 4_207_849_484;

export async function migrate(
  database: Pick<Database, 'patient'>,
  migrations: readonly Migration[],
): Promise<{ applied: readonly string[] }> {
  return database.patient.transaction(async (sql) => {
    await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await sql.query('create schema if not exists autoflow');
    await sql.query(
      'create table if not exists autoflow.migrations (name text collate "C" primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    const outstanding = await compare(sql, migrations);
    for (const { name, sql: text } of outstanding) {
      await sql.query(text);
      await sql.query('insert into autoflow.migrations (name, checksum) values ($1, $2)', [name, checksum(text)]);
    }
    return { applied: outstanding.map(({ name }) => name) };
  });
}

/** What is still to be applied; throws when what was applied is not a beginning of what we have. */
async function compare(sql: Sql, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const applied = await sql.query<{ name: string; checksum: string }>('select name, checksum from autoflow.migrations order by name');
  for (const [i, found] of applied.entries()) {
    const ours = migrations[i];
    if (ours === undefined)
      throw new SchemaError(
        'SCHEMA_TOO_NEW',
        `the database has migration ${found.name}, this program ends with ${migrations.at(-1)?.name}. Use the newer program.`,
      );
    if (ours.name !== found.name)
      throw new SchemaError(
        'SCHEMA_ALTERED',
        `the database has migration ${found.name} where this program has ${ours.name}. They do not belong together.`,
      );
    if (checksum(ours.sql) !== found.checksum)
      throw new SchemaError(
        'SCHEMA_ALTERED',
        `migration ${found.name} was changed after it had been applied. Restore it and put the change into a new migration.`,
      );
  }
  return migrations.slice(applied.length);
}

function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}
