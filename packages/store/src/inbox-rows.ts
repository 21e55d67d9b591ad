/** Puts rows into the inbox; whoever does so (ingest, a backfill, the landing table, what goes back) shares one statement. */
import type { Fields } from '@autoflow/pipeline';
import type { Sql } from './database.js';
import { bucketOf } from './record-digest.js';

export interface NewRow {
  readonly key: string;
  readonly record: Fields;
  readonly digest: string;
  readonly bytes: number;
  readonly arrivedAt?: Date;
  readonly withinMs?: number;
  readonly version?: string;
  readonly replace?: boolean;
  readonly backfillId?: string;
  readonly feeds?: number;
  readonly problem?: string;
  /** Instead of `withinMs`, for what was there before. */
  readonly dueAt?: Date;
  /** Instead of the request's. */
  readonly trace?: string;
}

/** Characters of JSON per statement: Postgres takes 1 GB in a message, V8 half of that in a string. */
const MAX_STATEMENT = 8 * 1024 * 1024;

/** In key order: two that insert the same keys wait for each other instead of dead-locking. Their ids follow the order given. */
const INSERT = `
insert into autoflow.inbox (id, pipeline, scope, key, record, digest, bytes, arrived_at, due_at, bucket, version, replace, backfill_id, feeds, problem, trace)
overriding system value
select id, $1, $2, key, record::json, decode(digest, 'hex'), bytes, coalesce(arrived_at, now()), coalesce(due_at, now() + make_interval(secs => within_ms / 1000)), bucket, version,
       coalesce(replace, false), backfill_id, coalesce(feeds, 0), problem, trace
  from (select given.*, nextval(pg_get_serial_sequence('autoflow.inbox', 'id')) as id
          from unnest($3::text[] collate "C", string_to_array($4, e'\\n'), $5::text[], $6::int[], $7::timestamptz[], $8::float8[],
                      $9::smallint[], $10::text[], $11::boolean[], $12::text[], $13::smallint[], $14::text[], $15::text[], $16::timestamptz[])
               with ordinality given (key, record, digest, bytes, arrived_at, within_ms, bucket, version, replace, backfill_id, feeds, problem, trace, due_at, n)
         order by n) numbered
 order by key
on conflict (pipeline, scope, key) do nothing returning key`;

/** Answers the keys that were inserted; the others wait already. Each key is given once. */
export async function insertWaiting(
  sql: Sql,
  { pipeline, scope, trace }: { readonly pipeline: string; readonly scope: string; readonly trace?: string | undefined },
  rows: readonly NewRow[],
): Promise<string[]> {
  const inserted: string[] = [];
  for (const portion of portions(rows)) {
    const column = <T>(of: (row: NewRow) => T) => portion.map(({ row }) => of(row));
    const keys = await sql.query<{ key: string }>(INSERT, [
      pipeline,
      scope,
      column(({ key }) => key),
      // JSON has no line breaks: an array's quoting would double every quotation mark, for both sides to undo.
      portion.map(({ text }) => text).join('\n'),
      column(({ digest }) => digest),
      column(({ bytes }) => bytes),
      column(({ arrivedAt }) => arrivedAt),
      column(({ withinMs }) => withinMs),
      column(({ key }) => bucketOf(key)),
      column(({ version }) => version),
      column(({ replace }) => replace),
      column(({ backfillId }) => backfillId),
      column(({ feeds }) => feeds),
      column(({ problem }) => problem),
      column((row) => row.trace ?? trace),
      column(({ dueAt }) => dueAt),
    ]);
    for (const { key } of keys) inserted.push(key);
  }
  return inserted;
}

function* portions(rows: readonly NewRow[]): Generator<readonly { row: NewRow; text: string }[]> {
  let portion: { row: NewRow; text: string }[] = [];
  let size = 0;
  for (const row of rows) {
    const text = JSON.stringify(row.record);
    if (size + text.length > MAX_STATEMENT && portion.length > 0) {
      yield portion;
      portion = [];
      size = 0;
    }
    portion.push({ row, text });
    size += text.length;
  }
  if (portion.length > 0) yield portion;
}
