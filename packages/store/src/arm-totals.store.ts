/** What each arm did and cost in a window, of the batches opened in it. */
import { FIRST_OPENED, NEVER_MS, spent, time, type Spent } from './arm-cells.store.js';
import { MEASURED_MS, SETTLING_MS, type ArmTotals, type ComparedArm } from './comparisons.model.js';
import type { Database } from './database.js';

export type TotalRow = Omit<ArmTotals, 'costUsd'> & Spent & { readonly arm: ComparedArm };
interface Kept {
  /** Batches that were closed before are in. */
  readonly until: number;
  readonly arms: readonly TotalRow[];
}

export async function armTotals(database: Database, pipeline: string, from: number, to: number, rollout?: string): Promise<TotalRow[]> {
  const read = async (since: number, until: number, open: boolean, candidate?: string): Promise<TotalRow[]> => {
    const which = [pipeline, from, to, since, until, open];
    // As of cells: the few invocations are found by their time, however old the window is.
    const [opened] = await database.patient.query<{ at: number | null }>(OPENED, which);
    return database.patient.query<TotalRow>(TOTALS, [...which, opened?.at ?? from, NEVER_MS, candidate]);
  };
  if (rollout === undefined) return read(from, NEVER_MS, true);
  const [found] = await database.query<{ now: number; totals: Kept | null; version: string }>(
    `select extract(epoch from clock_timestamp())::float8 * 1000 as now, totals, version from autoflow.rollouts where id = $1`,
    [rollout],
  );
  const before = found?.totals ?? { until: from, arms: [] };
  const until = Math.max(before.until, (found?.now ?? from) - SETTLING_MS);
  const arms = sumsByArm([...before.arms, ...(await read(before.until, until, false, found?.version))]);
  await database.query(`update autoflow.rollouts set totals = $2 where id = $1 and (totals is null or (totals ->> 'until')::float8 < $3)`, [
    rollout,
    JSON.stringify({ until, arms } satisfies Kept),
    until,
  ]);
  return sumsByArm([...arms, ...(await read(until, NEVER_MS, true, found?.version))]);
}

/** What the arms ran on a version, of the batches opened in a window. */
export async function recordsOn(database: Database, pipeline: string, version: string, from: number, to: number): Promise<number> {
  const [row] = await database.patient.query<{ records: number }>(
    `select coalesce(sum(${RECORDS}), 0)::float8 as records ${OF_ARMS} and version = $4`,
    [pipeline, from, to, version],
  );
  return row!.records;
}

export async function armsSettled(database: Database, pipeline: string, from: number, to: number): Promise<boolean> {
  const [row] = await database.query<{ settled: boolean }>(SETTLED, [pipeline, from, to, MEASURED_MS]);
  return row!.settled;
}

function sumsByArm(rows: readonly TotalRow[]): TotalRow[] {
  const sums = new Map<ComparedArm, TotalRow>();
  for (const row of rows) {
    const sum = sums.get(row.arm);
    sums.set(row.arm, sum === undefined ? row : added(sum, row));
  }
  return [...sums.values()];
}

function added(a: TotalRow, b: TotalRow): TotalRow {
  return {
    arm: a.arm,
    records: a.records + b.records,
    dead: a.dead + b.dead,
    costUsd: a.costUsd + b.costUsd,
    executions: a.executions + b.executions,
    attempts: a.attempts + b.attempts,
  };
}

const RECORDS = `case when state = 'open' then admitted else completed + filtered + dead + cancelled end`;
const OF_ARMS = `from autoflow.batches
   where pipeline = $1 and arm in ('stable', 'candidate', 'control', 'holdout') and opened_at >= ${time(2)} and opened_at < ${time(3)}`;
/** Two questions, each with an index of its own: a canary may have opened a hundred thousand batches. */
const SETTLED = `
select not exists (select ${OF_ARMS} and state = 'open')
   and not exists (select ${OF_ARMS} and state = 'closed' and closed_at > clock_timestamp() - $4::float8 * interval '1 ms') as settled`;
const BATCHES = `${OF_ARMS}
     and (state = 'closed' and closed_at >= ${time(4)} and closed_at < ${time(5)} or $6 and state = 'open')`;
const OPENED = `select ${FIRST_OPENED} as at ${BATCHES}`;
/** Beside the holdout a control group may be of the candidate's version: that is the candidate's, too. */
const TOTALS = `
with b as (select id, case when arm = 'control' and version = $9 then 'candidate' else arm end as arm, ${RECORDS} as n, dead ${BATCHES}),
s as (${spent(7, 8)})
select arm, sum(n)::float8 as records, sum(dead)::float8 as dead, sum(cost_usd)::float8 as "costUsd", count(*)::float8 as executions,
       sum(attempts)::float8 as attempts
  from s group by arm`;
