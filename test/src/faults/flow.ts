/** A known set of records flows while something breaks; afterwards every record is accounted for. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { FaultyStack } from './stack.js';

export type Act = 'pass' | 'drop' | 'fail' | 'exit' | 'hoard-all';

export interface Flow {
  /** Also the prefix of the keys. */
  readonly name: string;
  readonly records?: number;
  /** One each, beside those that are filtered or fail by themselves. */
  readonly poison?: readonly Act[];
  /** All at once instead of a few at a time. */
  readonly burst?: boolean;
  /** The fault may use up the attempts of a record, which is then dead: so it is when the sink is gone. */
  readonly mayDie?: boolean;
  /** The fault may cut off an invocation that has written: it is run again, and writes again. Without it nothing is written twice. */
  readonly reruns?: boolean;
  /** Records that come meanwhile are refused, and sent again. */
  readonly refuses?: boolean;
  readonly withinMs?: number;
  /** Breaks something, and mends it; the second half of the records comes meanwhile. */
  fault(): Promise<unknown>;
  /** Fails unless the fault did what it is there for. `since`: when it began, Unix ms. */
  bit?(since: number): Promise<unknown>;
}

export interface Recovery {
  readonly name: string;
  readonly completed: number;
  readonly filtered: number;
  readonly dead: number;
  /** Records that the sink got more than once: under the same key, so that the last write replaced those before. */
  readonly rewritten: number;
  /** Requests that ingest did not answer, or refused. */
  readonly refused: number;
  /** From the beginning of the fault to the first record that completed after it. */
  readonly firstMs: number;
  /** From the beginning of the fault to the last outcome. */
  readonly allMs: number;
}

const ENDS: Record<Act, string> = { pass: 'completed', drop: 'filtered', fail: 'dead', exit: 'dead', 'hoard-all': 'dead' };
const PORTION = 6;
const PACE_MS = 60;

/** Fails with the names of the records that are not settled in time, or did not end as they must. */
export async function flow(stack: FaultyStack, { name, records: count = 150, poison = [], ...more }: Flow): Promise<Recovery> {
  const records = recordsOf(name, count, poison);
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const submitted = submit(stack, records, more.burst === true ? { portion: records.length } : { portion: PORTION, begun });
  // It is awaited below, and may fail before.
  submitted.catch(() => undefined);
  await ended(stack, name, Math.ceil(count / 5), 60_000);
  const began = Date.now();
  begin();
  await more.fault();
  const refused = await submitted;
  if (more.refuses === true) expect(refused, 'requests that were refused meanwhile').toBeGreaterThan(0);
  await ended(stack, name, records.length, more.withinMs ?? 90_000);
  await more.bit?.(began);
  return { name, ...(await account(stack, name, records, more)), refused, ...(await recovery(stack, name, began)) };
}

interface Record_ {
  readonly id: string;
  readonly act: Act;
}

function recordsOf(name: string, count: number, poison: readonly Act[]): Record_[] {
  const actAt = (at: number): Act => (at % 20 === 7 ? 'drop' : at % 50 === 11 ? 'fail' : 'pass');
  const records = Array.from({ length: count }, (_, at) => ({ id: `${name}/${at}`, act: actAt(at) }));
  const poisoned = poison.map((act, at) => ({ id: `${name}/${act}-${at}`, act }));
  const middle = Math.floor(count / 2);
  return [...records.slice(0, middle), ...poisoned, ...records.slice(middle)];
}

interface Pace {
  readonly portion: number;
  /** The second half comes when this has resolved, so that the fault finds records that flow; undefined: all comes at once. */
  readonly begun?: Promise<void>;
}

/** As a client does that is never told no: what was not accepted is sent again. Answers how many requests were not. */
async function submit({ ingest }: FaultyStack, records: readonly Record_[], { portion, begun }: Pace): Promise<number> {
  const deadline = Date.now() + 120_000;
  let refused = 0;
  for (let from = 0; from < records.length; from += portion) {
    if (from >= records.length / 2) await begun;
    for (;;) {
      try {
        await ingest.records.submit('acts', records.slice(from, from + portion));
        break;
      } catch (error) {
        if (Date.now() > deadline) throw new Error('ingest has not accepted the records within two minutes', { cause: error });
        refused++;
        await delay(100);
      }
    }
    if (begun !== undefined) await delay(PACE_MS);
  }
  return refused;
}

const OF = `scope = 'live' and starts_with(key, $1 || '/')`;

/** Postgres may be what is down. */
async function ended(stack: FaultyStack, name: string, count: number, withinMs: number): Promise<void> {
  const { sql } = stack.platform;
  const deadline = Date.now() + withinMs;
  for (let last: unknown; ; await delay(50)) {
    try {
      const { rows } = await sql.query<{ n: number }>(
        `select count(*)::int as n from autoflow.records where ${OF} and state <> 'running'`,
        [name],
      );
      if (rows[0]!.n >= count) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${name}: ${await unsettled(stack, name, count, withinMs)}`, { cause: last });
  }
}

async function unsettled({ platform: { sql }, processes }: FaultyStack, name: string, count: number, withinMs: number): Promise<string> {
  const { rows } = await sql.query<{ what: string }>(
    `select key || ' runs in batch ' || batch_id as what from autoflow.records where ${OF} and state = 'running'
     union all select key || ' waits in the inbox' from autoflow.inbox where ${OF} order by 1`,
    [name],
  );
  const said = processes.map((each) => `--- ${each.name} said last:\n${each.said.slice(-1_200)}`).join('\n');
  return `fewer than ${count} records have an outcome after ${withinMs / 1000} s. Not settled:\n${rows.map(({ what }) => what).join('\n')}\n${said}`;
}

/** Every record in exactly one outcome, the one it must have; in the sink what completed, once. */
async function account(
  { platform: { sql, store } }: FaultyStack,
  name: string,
  records: readonly Record_[],
  { mayDie = false, reruns = false }: Pick<Flow, 'mayDie' | 'reruns'>,
) {
  const { rows } = await sql.query<{ key: string; state: string; letters: number }>(
    `select key, state, (select count(*)::int from autoflow.dead_letters d where d.pipeline = r.pipeline and d.scope = r.scope and d.key = r.key) as letters
       from autoflow.records r where ${OF} order by key`,
    [name],
  );
  expect(rows.map(({ key }) => key).toSorted(), 'every record is known, once').toEqual(records.map(({ id }) => id).toSorted());
  const acts = new Map(records.map(({ id, act }) => [id, act]));
  const otherwise = rows.filter(({ key, state }) => state !== ENDS[acts.get(key)!] && !(mayDie && state === 'dead'));
  expect(otherwise, 'records that ended otherwise than they must').toEqual([]);
  const mislaid = rows.filter(({ state, letters }) => letters !== (state === 'dead' ? 1 : 0));
  expect(mislaid, 'records with more or fewer dead letters than they must have').toEqual([]);
  const ids = (state: string) => rows.filter((row) => row.state === state).map(({ key }) => key);
  const { rows: sink } = await sql.query<{ id: string; stored: number }>(`select id, stored from sink where starts_with(id, $1 || '/')`, [
    name,
  ]);
  // A row for each idempotency key: a record that was written under two of them would be there twice.
  expect(sink.map(({ id }) => id).toSorted(), 'in the sink lies what completed, once').toEqual(ids('completed').toSorted());
  const rewritten = sink.filter(({ stored }) => stored > 1);
  if (!reruns) expect(rewritten, 'records that were written again without need').toEqual([]);
  const waiting = await sql.query(`select key from autoflow.inbox where ${OF}`, [name]);
  expect(waiting.rows, 'records that also wait').toEqual([]);
  // The last of them may have settled its records a moment before it closes.
  await expect.poll(() => store.ledger.openBatches({ pipeline: 'acts' }), { timeout: 20_000 }).toEqual([]);
  return { completed: ids('completed').length, filtered: ids('filtered').length, dead: ids('dead').length, rewritten: rewritten.length };
}

async function recovery({ platform: { sql } }: FaultyStack, name: string, began: number) {
  const { rows } = await sql.query<{ first: number | null; last: number }>(
    `select extract(epoch from min(ended_at) filter (where state = 'completed' and ended_at > to_timestamp($2 / 1000.0)))::float8 * 1000 as first,
            extract(epoch from max(ended_at))::float8 * 1000 as last
       from autoflow.records where ${OF}`,
    [name, began],
  );
  const { first, last } = rows[0]!;
  return { firstMs: Math.max(0, (first ?? began) - began), allMs: Math.max(0, last - began) };
}

export function table(recoveries: readonly Recovery[]): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const head = ['fault', 'completed', 'filtered', 'dead', 'rewritten', 'refused', 'first after', 'all settled'];
  const rows = recoveries.map((each) => [
    each.name,
    ...[each.completed, each.filtered, each.dead, each.rewritten, each.refused].map(String),
    seconds(each.firstMs),
    seconds(each.allMs),
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]!.length)));
  return [head, ...rows]
    .map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '))
    .join('\n');
}
