/** Settlement: every record of a batch gets its one outcome, and the batch is closed, together or not at all. */
import type { Fields, Outcome, OutcomeCounts } from '@autoflow/pipeline';
import type { Database, Sql } from './database.js';
import { NotFoundError } from './errors.js';
import { recordEvent } from './events.store.js';
import type { BatchLedger, BatchRow } from './ledger.model.js';
import { findBatch } from './batch-row.js';

type Request = Parameters<BatchLedger['close']>[0];
/** One outcome as columns; `record` is the input of a dead one. */
interface Settled {
  readonly key: string;
  readonly state: Outcome['state'];
  readonly by: string | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly output: string | undefined;
  readonly record: string | undefined;
}

const NONE: OutcomeCounts = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
/** In the event of dead letters: codes are the user's, so there may be any number. */
const MAX_CODES = 20;
/** Characters of JSON per statement: Postgres takes 1 GB in a message, V8 half of that in a string. */
const MAX_STATEMENT = 8 * 1024 * 1024;

export async function closeBatch(database: Database, { batchId, outcomes, inputs }: Request): Promise<OutcomeCounts> {
  const settled = outcomes.map((outcome) => columnsOf(outcome, inputs));
  return database.transaction(async (sql) => {
    await sql.query('select from autoflow.batches where id = $1 for update', [batchId]);
    const batch = await findBatch(sql, batchId);
    if (batch === undefined) throw new NotFoundError('batch', batchId);
    if (batch.counts !== undefined) return batch.counts;
    let counts = NONE;
    const deaths = new Deaths();
    const settlePortion = async (portion: readonly Settled[]): Promise<void> => {
      const { codes, ...settled } = await settle(sql, batch, portion);
      deaths.add(codes);
      counts = add(counts, settled);
    };
    for (const portion of portions(settled)) await settlePortion(portion);
    await settlePortion(await forgotten(sql, batchId, inputs));
    await recordClosing(sql, batchId, counts);
    await announce(sql, batchId);
    if (counts.dead > 0) await tellOfDeadLetters(sql, batch, counts, deaths);
    return counts;
  });
}

export function columnsOf(outcome: Outcome, inputs: ReadonlyMap<string, Fields>): Settled {
  const { key, state } = outcome;
  const none = { key, state, by: undefined, reason: undefined, message: undefined, output: undefined, record: undefined };
  switch (state) {
    case 'completed':
      return { ...none, output: JSON.stringify(outcome.output) };
    case 'filtered':
      return { ...none, by: outcome.by, reason: outcome.reason };
    case 'dead':
      return { ...none, by: outcome.in, reason: outcome.code, message: outcome.message, record: JSON.stringify(inputs.get(key) ?? {}) };
    case 'cancelled':
      return none;
  }
}

function* portions(settled: readonly Settled[]): Generator<readonly Settled[]> {
  let portion: Settled[] = [];
  let size = 0;
  for (const row of settled) {
    const length = (row.output?.length ?? 0) + (row.record?.length ?? 0);
    if (size + length > MAX_STATEMENT && portion.length > 0) {
      yield portion;
      portion = [];
      size = 0;
    }
    portion.push(row);
    size += length;
  }
  if (portion.length > 0) yield portion;
}

/**
 * Only records that still belong to this batch and run: the outcome of one that was not admitted, or that a newer batch took over, is not theirs.
 * Written so that the planner looks each of them up by the primary key. Comparing with constants, it expects one row and then walks the whole
 * scope, or the batch once per record: hence pipeline and scope come from `given`, and the condition on the batch is opaque.
 */
const SETTLE = `
with given as materialized (
  select distinct on (key) $1 as pipeline, $2 as scope, key, state, by, reason, message, nullif(output, '')::json as output, nullif(record, '')::json as record
    from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], string_to_array($9, e'\\n'), string_to_array($10, e'\\n')) with ordinality
         given (key, state, by, reason, message, output, record, n)
   order by key, n),
settled as (
  update autoflow.records r
     set state = g.state, ended_at = now(), ended_by = g.by, reason = g.reason, message = g.message, output = g.output
    from given g
   where r.pipeline = g.pipeline and r.scope = g.scope and r.key = g.key
     and case r.state when 'running' then r.batch_id = $3 else false end
  returning r.pipeline, r.scope, r.key, r.state, r.batch_id, r.version, r.release, r.ended_by, r.reason, r.message, g.record),
letters as (
  insert into autoflow.dead_letters (pipeline, scope, key, batch_id, version, release, died_in, code, message, record)
  select pipeline, scope, key, batch_id, version, release, ended_by, reason, message, record from settled where state = 'dead' order by key)
select count(*) filter (where state = 'completed') as completed, count(*) filter (where state = 'filtered') as filtered,
       count(*) filter (where state = 'dead') as dead, count(*) filter (where state = 'cancelled') as cancelled,
       (select json_object_agg(reason, n) from (select reason, count(*) as n from settled where state = 'dead' group by reason) d) as codes from settled`;

interface SettledCounts extends OutcomeCounts {
  readonly codes?: { readonly [code: string]: number } | null;
}

export async function settle(sql: Sql, { id, pipeline, scope }: BatchRow, rows: readonly Settled[]): Promise<SettledCounts> {
  if (rows.length === 0) return NONE;
  const column = (name: keyof Settled) => rows.map((row) => row[name]);
  // JSON has no line breaks, so its columns travel as lines: an array's quoting would double every quotation mark, for both sides to undo.
  const lines = (name: 'output' | 'record') => rows.map((row) => row[name] ?? '').join('\n');
  const values = [
    pipeline,
    scope,
    id,
    column('key'),
    column('state'),
    column('by'),
    column('reason'),
    column('message'),
    lines('output'),
    lines('record'),
  ];
  const [counts] = await sql.query<SettledCounts>(SETTLE, values);
  return counts!;
}

/** Records for which no outcome was given. They must not run for ever, and none may be lost: they die, visibly. */
async function forgotten(sql: Sql, batchId: string, inputs: ReadonlyMap<string, Fields>): Promise<Settled[]> {
  const running = await sql.query<{ key: string }>(`select key from autoflow.records where batch_id = $1 and state = 'running'`, [batchId]);
  return running.map(({ key }) =>
    columnsOf(
      { state: 'dead', key, in: 'settle', code: 'OUTCOME_MISSING', message: 'the execution ended without an outcome for this record' },
      inputs,
    ),
  );
}

/** `dissolved`: so many of its records have no outcome, as they went back. */
export async function recordClosing(
  sql: Sql,
  batchId: string,
  { completed, filtered, dead, cancelled }: OutcomeCounts,
  dissolved = 0,
): Promise<void> {
  await sql.query(
    `with closed as (
       update autoflow.batches set state = 'closed', closed_at = now(), completed = $2, filtered = $3, dead = $4, cancelled = $5, dissolved = $6
        where id = $1 returning backfill_id, admitted)
     update autoflow.backfills b
        set settled = settled + closed.admitted - $6, completed = completed + $2, filtered = filtered + $3, dead = dead + $4, cancelled = cancelled + $5
       from closed where b.id = closed.backfill_id`,
    [batchId, completed, filtered, dead, cancelled, dissolved],
  );
}

/** Whoever waits for outcomes of the inbox hears of them once per batch; the direct door answers by itself. */
async function announce(sql: Sql, batchId: string): Promise<void> {
  await sql.query(`select pg_notify('autoflow_outcomes', pipeline) from autoflow.batches where id = $1 and arm is not null`, [batchId]);
}

/** One event per batch with the count of each code, not one per record: what is wrong with one record is often wrong with all. */
export async function tellOfDeadLetters(
  sql: Sql,
  { id, pipeline, version, release, scope }: BatchRow,
  { dead }: OutcomeCounts,
  deaths: Deaths,
): Promise<void> {
  const codes = Object.fromEntries(deaths.most(MAX_CODES));
  await recordEvent(sql, { pipeline, type: 'dead-letters.added', data: { batch: id, scope, version, release, count: dead, codes } });
}

/** How many died of what. */
export class Deaths {
  private readonly counts = new Map<string, number>();
  add(codes: SettledCounts['codes']): void {
    for (const [code, count] of Object.entries(codes ?? {})) this.counts.set(code, (this.counts.get(code) ?? 0) + count);
  }
  most(limit: number): [string, number][] {
    return [...this.counts].sort(([, a], [, b]) => b - a).slice(0, limit);
  }
}

function add(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  return {
    completed: a.completed + b.completed,
    filtered: a.filtered + b.filtered,
    dead: a.dead + b.dead,
    cancelled: a.cancelled + b.cancelled,
  };
}
