import type { OutcomeCounts } from '@autoflow/pipeline';
import type { Sql } from './database.js';
import type { BatchRow } from './ledger.model.js';
import { dense, one } from './rows.js';

export type BatchColumns = Omit<BatchRow, 'counts'> & { readonly counts: OutcomeCounts };

export const BATCH = `select id, pipeline, version, release, scope, execution_id as "executionId", state, ref, memory_mb as "memoryMb",
  opened_at as "openedAt", closed_at as "closedAt",
  arm, nullif(probe, false) as probe, nullif(aborted, false) as aborted, backfill_id as "backfillId",
  json_build_object('completed', completed, 'filtered', filtered, 'dead', dead, 'cancelled', cancelled) as counts
  from autoflow.batches`;

/** An open batch has no counts yet. */
export function batchRow(columns: BatchColumns): BatchRow {
  const { counts, ...row } = dense(columns);
  return row.state === 'open' ? row : { ...row, counts };
}

export async function findBatch(sql: Sql, id: string): Promise<BatchRow | undefined> {
  const columns = await one<BatchColumns>(sql, `${BATCH} where id = $1`, [id]);
  return columns && batchRow(columns);
}

export async function openBatches(
  sql: Sql,
  { pipeline, scope, backfill, openForMs }: { pipeline?: string; scope?: string; backfill?: string; openForMs?: number },
): Promise<BatchRow[]> {
  const rows = await sql.query<BatchColumns>(
    `${BATCH} where state = 'open' and ($1::text is null or pipeline = $1) and ($2::text is null or scope = $2)
      and ($3::text is null or backfill_id = $3) and ($4::float8 is null or opened_at < now() - make_interval(secs => $4)) order by opened_at, id`,
    [pipeline, scope, backfill, openForMs === undefined ? undefined : openForMs / 1000],
  );
  return rows.map(batchRow);
}
