import type { Sql } from './database.js';
import type { Channel } from './model.js';

/** Heard when the transaction commits. One statement at most per transaction and channel: Postgres serialises commits that notify. */
export async function notify(sql: Sql, channels: readonly Channel[], pipeline: string): Promise<void> {
  await sql.query('select pg_notify(channel, $2) from unnest($1::text[]) channel', [channels, pipeline]);
}
