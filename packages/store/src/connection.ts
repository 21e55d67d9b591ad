/** Where a connection string leads, told without its password, user or options; and what the errors of the driver mean. */
import type { DatabaseError } from 'pg';
import { SchemaError, StoreError, StoreUnavailableError } from './errors.js';

/** `host:port/database`: what may appear in messages and logs. */
export function placeOf(connectionString: string): string {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new StoreError(
      'SETTINGS_INVALID',
      'the connection string is not a postgres:// URL. Give postgres://user:password@host:port/database.',
    );
  return `${url.hostname || url.searchParams.get('host') || 'localhost'}:${url.port || '5432'}${url.pathname || '/'}`;
}

/** Classes and codes of SQLSTATE that pass by themselves: connection, resources, operator, serialization, read-only after a failover. */
const RETRYABLE = /^(08|53|57|40|58)|^(25006|55P03)$/;
const REFUSED = /^28|^3D000$|^42501$/;
const NO_SCHEMA = /^(42P01|3F000|42703)$/;

/** What the driver says by message only. */
const LOST =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout)/;

/** The typed error for what the driver threw; everything else (errors of our own, bugs) passes unchanged. */
export function storeError(error: unknown, place: string): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (error instanceof StoreError) return error;
  // Recognised by shape: this file is loaded where the driver is not.
  if (error instanceof Error && 'severity' in error) return databaseError(error as DatabaseError, place);
  if (/^E[A-Z]+$/.test(code) || LOST.test(message)) return new StoreUnavailableError(place, code || message);
  if (message.startsWith('SASL')) return refused(place, 'a password is needed');
  return error;
}

function databaseError({ code = '', message, constraint }: DatabaseError, place: string): StoreError {
  if (RETRYABLE.test(code)) return new StoreUnavailableError(place, `${code}: ${message}`);
  if (REFUSED.test(code)) return refused(place, message, code);
  if (NO_SCHEMA.test(code))
    return new SchemaError('SCHEMA_MISSING', `Postgres at ${place} lacks a part of the schema: ${message}. Run the migrations.`);
  // The driver's `detail` is left out on purpose: it quotes rows.
  return new StoreError('STORE_FAILED', `Postgres refused a statement: ${message} (${code})`, { sqlState: code, constraint });
}

function refused(place: string, why: string, sqlState?: string): StoreError {
  return new StoreError('STORE_REFUSED', `Postgres at ${place} refused: ${why}. Check user, password, database and rights.`, { sqlState });
}

/** Transactions that Postgres aborted to let another one through: running them again at once is the cure. */
export function wasSacrificed(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '40001' || code === '40P01';
}
