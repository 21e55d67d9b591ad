/** One partition per day (UTC) of each metering table. */
import type { Database, Sql } from './database.js';
import { StoreUnavailableError } from './errors.js';

export type Metered = 'invocations' | 'pool_usage';
export const METERED: readonly Metered[] = ['invocations', 'pool_usage'];

const DAY_MS = 86_400_000;
/** Guards making and dropping: two hosts that find the same day missing must not both make it, and of two that drop the same one Postgres fails the second. */
const LOCK = 4_207_849_485;

export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** Attached instead of made in place: making it in place would lock readers and writers of all other days out. */
export async function createPartitions(database: Database, table: Metered, days: Iterable<string>): Promise<void> {
  const missing = await withoutPartition(database, table, [...new Set(days)]);
  if (missing.length === 0) return;
  await database.transaction(async (sql) => {
    await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
    for (const day of await withoutPartition(sql, table, missing)) {
      const name = partitionName(table, day);
      await sql.query(`create table autoflow.${name} (like autoflow.${table} including all)`);
      await sql.query(
        `alter table autoflow.${table} attach partition autoflow.${name} for values from ('${day}T00:00Z') to ('${dayAfter(day)}T00:00Z')`,
      );
    }
  });
}

/** Gives way to queries that are running: what could not be dropped within a second is dropped the next time. Answers the days that went. */
export async function dropPartitions(database: Database, table: Metered, olderThan: string): Promise<string[]> {
  const old = (await partitions(database, table)).filter((day) => day < olderThan);
  const dropped: string[] = [];
  for (const day of old) {
    try {
      await database.patient.transaction(async (sql) => {
        await sql.query(`set local lock_timeout = '1s'`);
        await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
        await sql.query(`drop table if exists autoflow.${partitionName(table, day)}`);
      });
      dropped.push(day);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
  return dropped;
}

async function withoutPartition(sql: Sql, table: Metered, days: readonly string[]): Promise<string[]> {
  const there = new Set(await partitions(sql, table));
  return days.filter((day) => !there.has(day));
}

/** The days of which a table has one, ascending. */
export async function partitions(sql: Sql, table: Metered): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass order by 1`,
    [`autoflow.${table}`],
  );
  return rows.map(({ name }) => name.slice(-8).replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
}

const partitionName = (table: Metered, day: string) => `${table}_${day.replaceAll('-', '')}`;
const dayAfter = (day: string) => dayOf(new Date(Date.parse(day) + DAY_MS));
