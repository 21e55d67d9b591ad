/**
 * Who opens batches with the stable version holds the pointer still, any number of them at once; who moves it waits for those, and those who
 * come later wait for it. An advisory lock and not the row's: sharers of a row lock pass by whoever waits to change it, and with 30 openers
 * at work a rollback took up to 5 seconds.
 */
import type { Sql } from './database.js';

/** Until the end of the transaction. What is read in a later statement of it stays so. */
export async function holdStable(sql: Sql, pipeline: string): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock_shared(hashtext('autoflow_stable'), hashtext($1))`, [pipeline]);
}

/** Until the end of the transaction. */
export async function moveStable(sql: Sql, pipeline: string): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(hashtext('autoflow_stable'), hashtext($1))`, [pipeline]);
}
