import { EMPTY_ARM_CELL, type ArmCell } from '@autoflow/topology';
import { temporalActions, type Prices } from '@autoflow/twin';
import { readCells, time, type CellRow, type Spent } from './arm-cells.store.js';
import { armsSettled, armTotals, recordsOn } from './arm-totals.store.js';
import { bucketsOf } from './arms.model.js';
import { findArms } from './arms.store.js';
import { closeBlocks, closedCells, closedLatencies, type ClosedCell } from './closed-blocks.store.js';
import { LATE_MS, type ArmBlock, type ComparisonQuery, type ComparisonStore, type WorkloadRow } from './comparisons.model.js';
import type { Database } from './database.js';
import { slowLimits, slowRecords, type Histogram } from './slow-records.js';

type Cell = ClosedCell & { readonly running?: number };
type Dollars = (spent: Spent) => number;

export function comparisonStore(database: Database, prices: Prices): ComparisonStore {
  const dollars: Dollars = ({ costUsd, executions, attempts }) =>
    costUsd + temporalActions({ runs: executions, localActivityTasks: executions, activityAttempts: attempts }) * prices.temporalAction.usd;
  return {
    clock: async () => {
      const [row] = await database.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as now', []);
      return row!.now;
    },
    blocks: (query) => blocks(query.patient ? { ...database, ...database.patient } : database, query, dollars),
    workload: ({ pipeline, from, to, blockMs }) => database.patient.query<WorkloadRow & object>(WORKLOAD, [pipeline, from, to, blockMs]),
    totals: async (...window) => {
      const rows = await armTotals(database, ...window);
      return Object.fromEntries(rows.map((row) => [row.arm, { records: row.records, dead: row.dead, costUsd: dollars(row) }]));
    },
    recordsOn: ({ pipeline, version, from, to }) => recordsOn(database, pipeline, version, from, to),
    settled: (...window) => armsSettled(database, ...window),
  };
}

async function blocks(database: Database, query: ComparisonQuery, dollars: Dollars): Promise<ArmBlock[]> {
  const { from, to, blockMs, slower = { p95: 1, p99: 1 }, kept } = query;
  const whole = Math.floor((to - from) / blockMs);
  if (whole <= 0) return [];
  const closed = kept === undefined ? 0 : await closeBlocks(database, query, kept, whole);
  const unfinished = await bucketsOfBoth(database, query);
  const open =
    closed === whole
      ? []
      : await readCells(database, query, { first: closed, last: whole, lateMs: kept === undefined ? Infinity : LATE_MS, unfinished });
  const before = kept === undefined ? new Map<number, number>() : await closedLatencies(database, kept, closed);
  const limits = slowLimits(latenciesOfTheirs(before, open), slower);
  const cells: Cell[] = [
    ...(kept === undefined ? [] : await closedCells(database, kept, closed, limits)),
    ...open.map(({ buckets, counts, ...cell }) => ({
      ...cell,
      ...slowRecords(cell.ours ? limits.ours : limits.theirs, buckets, counts),
    })),
  ];
  return sideBySide(cells, dollars).map(([block, arms]) => ({ at: from + block * blockMs, ...arms }));
}

/** First and last bucket of each; none where what waits is not asked for. */
async function bucketsOfBoth(database: Database, { pipeline, ours, theirs, waiting = false }: ComparisonQuery): Promise<number[]> {
  const arms = waiting ? await findArms(database, pipeline) : undefined;
  return [ours, theirs].flatMap(({ arm }) => (arms && bucketsOf(arms, arm)) ?? [-1, -1]);
}

function latenciesOfTheirs(before: Histogram, open: readonly CellRow[]): Histogram {
  const all = new Map(before);
  for (const { ours, buckets, counts } of open) {
    if (!ours) buckets.forEach((bucket, i) => all.set(bucket, (all.get(bucket) ?? 0) + counts[i]!));
  }
  return all;
}

function sideBySide(cells: readonly Cell[], dollars: Dollars): [number, { ours: ArmCell; theirs: ArmCell }][] {
  const found = new Map<number, { ours: ArmCell; theirs: ArmCell }>();
  for (const { block, ours: isOurs, executions, attempts, costUsd, running = 0, ...counts } of cells) {
    const cell: ArmCell = { ...counts, running, executions, costUsd: dollars({ costUsd, executions, attempts }) };
    const there = found.get(block) ?? { ours: EMPTY_ARM_CELL, theirs: EMPTY_ARM_CELL };
    found.set(block, isOurs ? { ...there, ours: cell } : { ...there, theirs: cell });
  }
  return [...found].sort(([a], [b]) => a - b);
}

const WORKLOAD = `
select $2::float8 + $4::float8 * floor(extract(epoch from opened_at - ${time(2)})::float8 * 1000 / $4::float8) as at, sum(admitted)::float8 as records,
       sum((ref ->> 'bytes')::float8) as bytes, sum(completed + filtered + dead)::float8 as settled, sum(filtered)::float8 as filtered
  from autoflow.batches
 where pipeline = $1 and arm is not null and backfill_id is null and dissolved = 0 and opened_at >= ${time(2)} and opened_at < ${time(3)}
 group by 1 order by 1`;
