import type { Allocation } from '@autoflow/topology';
import type pg from 'pg';
import type { BenchPlatform } from '../platform.js';

const BY = { actor: 'benchmark', reason: 'a benchmark' };

export interface ControlOrder {
  readonly version: string;
  readonly start: Allocation;
  readonly mode: 'off' | 'auto';
  readonly intervalMs: number;
  readonly sloMs: number;
}

/** The allocation to begin with, and who changes it from now on, as if nothing had been before. */
export async function resetControl(
  { store, spec: { name: pipeline } }: BenchPlatform,
  sql: pg.Pool,
  { version, start, mode, intervalMs, sloMs }: ControlOrder,
): Promise<void> {
  await sql.query('truncate autoflow.controls, autoflow.control_steps');
  await store.definitions.setAllocation({ pipeline, version, stages: start, by: BY });
  await store.settings.change({
    pipeline,
    change: { autonomy: 'auto', control: { mode, intervalMs }, objective: { minimise: 'cost', p99Ms: sloMs } },
    by: BY,
  });
}

export async function endControl({ store, spec: { name: pipeline } }: BenchPlatform, version: string, start: Allocation): Promise<void> {
  await store.settings.change({ pipeline, change: { control: { mode: 'off' } }, by: BY });
  await store.definitions.setAllocation({ pipeline, version, stages: start, by: BY });
}

/** Memory-seconds (MB · s) of the instances that there were; hosts tell them every five seconds. */
export async function heldMbS({ spec }: BenchPlatform, sql: pg.Pool, version: string, from: Date, to: Date): Promise<number> {
  const { rows } = await sql.query<{ held: number }>(
    `select coalesce(sum(provisioned_mb_s), 0)::float8 as held from autoflow.pool_usage
      where pipeline = $1 and version = $2 and from_at >= $3 and from_at < $4`,
    [spec.name, version, from, to],
  );
  return rows[0]!.held;
}

/** Of the records of a scope: the share past the service level, from the arrival in the inbox, which is when the generator sent it; and the dead. */
export async function latenessOf(
  { spec }: BenchPlatform,
  sql: pg.Pool,
  scope: string,
  sloMs: number,
): Promise<{ readonly late: number; readonly dead: number }> {
  const { rows } = await sql.query<{ late: number; dead: number }>(
    `select coalesce(avg((coalesce(ended_at, now()) - arrived_at > $3 * interval '1 millisecond')::int), 0)::float8 as late,
            count(*) filter (where state = 'dead')::int as dead
       from autoflow.records where pipeline = $1 and scope = $2`,
    [spec.name, scope, sloMs],
  );
  return rows[0]!;
}
