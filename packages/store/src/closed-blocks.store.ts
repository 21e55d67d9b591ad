/** Blocks of a canary's step that nothing changes any more: taken once, kept, and read from there. */
import { SLOWS, type SlowRecords } from '@autoflow/topology';
import { readCells, type CellRow } from './arm-cells.store.js';
import { LATE_MS, SETTLING_MS, type ComparisonQuery } from './comparisons.model.js';
import type { Database, Sql } from './database.js';
import type { Histogram, SlowLimits } from './slow-records.js';

type Kept = NonNullable<ComparisonQuery['kept']>;
/** A closed cell, with its slow records counted. */
export type ClosedCell = Omit<CellRow, 'buckets' | 'counts' | 'running'> & SlowRecords;

/** Read at once, so that it takes no longer after a long pause. */
const PORTION_MS = 600_000;

/** Keeps the blocks that have been closed since, and answers how many of `whole` there are. Whoever is second finds them kept. */
export async function closeBlocks(database: Database, query: ComparisonQuery, kept: Kept, whole: number): Promise<number> {
  const { from, blockMs } = query;
  const [found] = await database.query<{ now: number; blocks: number }>(
    `select extract(epoch from clock_timestamp())::float8 * 1000 as now,
            coalesce((select blocks from autoflow.closed_steps where rollout = $1 and step = $2), 0) as blocks`,
    [kept.rollout, kept.step],
  );
  let { blocks } = found!;
  const closed = Math.min(whole, Math.floor((found!.now - LATE_MS - SETTLING_MS - from) / blockMs));
  while (blocks < closed) {
    const last = Math.min(closed, blocks + Math.max(1, Math.floor(PORTION_MS / blockMs)));
    const cells = await readCells(database, query, { first: blocks, last, lateMs: LATE_MS });
    await database.transaction((sql) => keep(sql, kept, cells, last));
    blocks = last;
  }
  return Math.min(blocks, whole);
}

/** Of what has ended, all of it is known: the same blocks read twice are the same. */
async function keep(sql: Sql, { rollout, step }: Kept, cells: readonly CellRow[], last: number): Promise<void> {
  await sql.query(INSERT, [rollout, step, JSON.stringify(cells.map((cell) => ({ ...cell, atLeast: sumsFromBehind(cell.counts) })))]);
  await sql.query(
    `insert into autoflow.closed_steps (rollout, step, blocks) values ($1, $2, $3)
     on conflict (rollout, step) do update set blocks = greatest(closed_steps.blocks, excluded.blocks)`,
    [rollout, step, last],
  );
}

/** Latencies of what is compared with, in the first `closed` blocks: there may be more by now. */
export async function closedLatencies(database: Database, { rollout, step }: Kept, closed: number): Promise<Histogram> {
  const rows = await database.query<{ bucket: number; records: number }>(
    `select bucket, sum(n - coalesce(later, 0))::float8 as records
       from autoflow.closed_blocks, lateral (select bucket, n, lead(n) over (order by bucket) as later from unnest(buckets, at_least) u (bucket, n)) u
      where rollout = $1 and step = $2 and block < $3 and not ours group by bucket`,
    [rollout, step, closed],
  );
  return new Map(rows.map(({ bucket, records }) => [bucket, records]));
}

/** Of the first `closed` blocks. `width_bucket` finds the last bucket up to the limit by halving: what follows it is slow. */
export function closedCells(
  database: Database,
  { rollout, step }: Kept,
  closed: number,
  { ours, theirs }: SlowLimits,
): Promise<ClosedCell[]> {
  const limits = SLOWS.flatMap((slow) => [ours[slow], theirs[slow]]);
  return database.query<ClosedCell>(CLOSED, [rollout, step, closed, ...limits]);
}

const slow = (name: string, i: number): string =>
  `coalesce(at_least[1 + width_bucket(case when ours then $${4 + 2 * i}::int2 else $${5 + 2 * i}::int2 end, buckets)], 0)::float8 as ${name}`;
const CLOSED = `
select block, ours, records, dead, errors, filtered, latency_ms as "latencyMs", ${SLOWS.map(slow).join(', ')}, charged,
       cost_usd as "costUsd", executions, attempts
  from autoflow.closed_blocks where rollout = $1 and step = $2 and block < $3`;

const INSERT = `
insert into autoflow.closed_blocks (rollout, step, block, ours, records, dead, errors, filtered, latency_ms, buckets, at_least, charged, cost_usd,
                                    executions, attempts)
select $1, $2, block, ours, records, dead, errors, filtered, "latencyMs", buckets, "atLeast", charged, "costUsd", executions, attempts
  from json_to_recordset($3) c (block int, ours boolean, records float8, dead float8, errors float8, filtered float8, "latencyMs" float8,
                                buckets int2[], "atLeast" int[], charged float8, "costUsd" float8, executions float8, attempts float8)
on conflict do nothing`;

function sumsFromBehind(counts: readonly number[]): number[] {
  const sums = [...counts];
  for (let i = sums.length - 2; i >= 0; i--) sums[i]! += sums[i + 1]!;
  return sums;
}
