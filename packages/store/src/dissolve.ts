/** Takes a batch back whose execution will not settle it: nothing is lost, nothing runs twice in the books. */
import { findBatch } from './batch-row.js';
import { columnsOf, Deaths, recordClosing, settle, tellOfDeadLetters } from './close-batch.js';
import type { Database, Sql } from './database.js';
import { MAX_FEEDS, type FeederStore } from './feeder.model.js';
import { insertWaiting, type NewRow } from './inbox-rows.js';
import type { BatchRow } from './ledger.model.js';
import { notify } from './notify.js';

type Request = Parameters<FeederStore['dissolve']>[0];
interface Running {
  readonly key: string;
  readonly digest: string;
  readonly feeds: number;
  readonly arrivedAt: Date;
}

export async function dissolveBatch(database: Database, request: Request): Promise<{ refed: number; dead: number }> {
  return database.transaction(async (sql) => {
    await sql.query('select from autoflow.batches where id = $1 for update', [request.batchId]);
    const batch = await findBatch(sql, request.batchId);
    if (batch === undefined || batch.state !== 'open') return { refed: 0, dead: 0 };
    const running = await runningOf(sql, batch.id);
    const deaths = running.map((record) => ({ record, death: deathOf(record, request) }));
    const back = deaths.filter(({ death }) => death === undefined).map(({ record }) => record);
    const dying = deaths.flatMap(({ record, death }) => (death === undefined ? [] : [{ key: record.key, ...death }]));
    await putBack(sql, batch, back, request);
    const { codes, ...counts } = await bury(sql, batch, dying, request);
    await recordClosing(sql, batch.id, counts, back.length);
    const causes = new Deaths();
    causes.add(codes);
    if (counts.dead > 0) await tellOfDeadLetters(sql, batch, counts, causes);
    await notify(sql, back.length > 0 ? ['autoflow_inbox', 'autoflow_outcomes'] : ['autoflow_outcomes'], batch.pipeline);
    return { refed: back.length, dead: counts.dead };
  });
}

/** A record that the direct door took over meanwhile is not this batch's any more. */
function runningOf(sql: Sql, batchId: string): Promise<Running[]> {
  return sql.query<Running>(
    `select key, encode(digest, 'hex') as digest, feeds, arrived_at as "arrivedAt" from autoflow.records
      where batch_id = $1 and state = 'running' order by key for update`,
    [batchId],
  );
}

function deathOf({ key, feeds }: Running, { inputs, refuse }: Request): { code: string; message: string } | undefined {
  if (refuse !== undefined) return refuse;
  if (!inputs.has(key)) return { code: 'BATCH_MISSING', message: 'the file with the record is gone, so it cannot be run again' };
  if (feeds < MAX_FEEDS) return undefined;
  return {
    code: 'REFED_TOO_OFTEN',
    message: `it was fed ${feeds} times, and each time its execution was terminated or timed out; find out why, then re-drive it`,
  };
}

async function putBack(sql: Sql, batch: BatchRow, back: readonly Running[], { inputs }: Request): Promise<void> {
  if (back.length === 0) return;
  await sql.query(`delete from autoflow.records where pipeline = $1 and scope = $2 and key = any ($3)`, [
    batch.pipeline,
    batch.scope,
    back.map(({ key }) => key),
  ]);
  const rows = back.map(({ key, digest, feeds, arrivedAt }): NewRow => {
    const input = inputs.get(key)!;
    return {
      ...input,
      key,
      digest,
      bytes: Buffer.byteLength(JSON.stringify(input.record)),
      arrivedAt,
      feeds,
      ...(batch.arm === 'pinned' && { version: batch.version }),
      ...(batch.backfillId !== undefined && { backfillId: batch.backfillId }),
    };
  });
  await insertWaiting(sql, batch, rows);
}

async function bury(sql: Sql, batch: BatchRow, dying: readonly { key: string; code: string; message: string }[], { inputs }: Request) {
  const fields = new Map([...inputs].map(([key, { record }]) => [key, record]));
  return settle(
    sql,
    batch,
    dying.map(({ key, code, message }) => columnsOf({ state: 'dead', key, in: 'feeder', code, message }, fields)),
  );
}
