import type { Sql } from './database.js';
import type { Actor } from './definitions.model.js';
import { many } from './rows.js';
import type { VersionStatus, VersionStatusRow } from './rollouts.model.js';

/** Belongs into the transaction of what made it so. */
export async function recordStatus(sql: Sql, pipeline: string, version: string, status: VersionStatus, by: Actor): Promise<void> {
  await sql.query('insert into autoflow.version_statuses (pipeline, version, status, actor, reason) values ($1, $2, $3, $4, $5)', [
    pipeline,
    version,
    status,
    by.actor,
    by.reason,
  ]);
}

/** Oldest first. */
export function statusesOf(sql: Sql, pipeline: string, version: string): Promise<VersionStatusRow[]> {
  return many<VersionStatusRow>(
    sql,
    'select status, at, actor, reason from autoflow.version_statuses where pipeline = $1 and version = $2 order by id',
    [pipeline, version],
  );
}
