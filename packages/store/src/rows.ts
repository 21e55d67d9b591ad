import type { Sql } from './database.js';

/** A column that is null is a property that is absent. */
export function dense<Row extends object>(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Row;
}

export async function many<Row extends object>(sql: Sql, text: string, values: readonly unknown[]): Promise<Row[]> {
  return (await sql.query<Row>(text, values)).map(dense);
}

export async function one<Row extends object>(sql: Sql, text: string, values: readonly unknown[]): Promise<Row | undefined> {
  return (await many<Row>(sql, text, values))[0];
}
