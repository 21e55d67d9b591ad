import type { Database } from './database.js';
import { StoreError } from './errors.js';
import type { InvocationRow, MeteringStore, PoolUsageRow } from './metering.model.js';
import { createPartitions, dayOf, dropPartitions, METERED, partitions, type Metered } from './partitions.js';
import { storableJson } from './text.js';

const DAY_MS = 86_400_000;
/** Days that are made ahead, so that writers hardly ever have to. */
const AHEAD = 3;
/** A host that has said nothing for so long is gone. */
const FORGET_HOSTS = '1 day';

/** Rows may be written again: duplicates are recognised and left out. */
export function meteringStore(database: Database): MeteringStore {
  return {
    writeInvocations: (rows) => write(database, 'invocations', rows, ({ startedAt }) => startedAt, insertInvocations),
    writePoolUsage: (rows) => write(database, 'pool_usage', rows, ({ from }) => from, insertPoolUsage),
    writeCalibrations: async (rows) => {
      if (rows.length > 0) await database.query(insertCalibrations, [storableJson(rows)]);
    },
    days: () => partitions(database, 'invocations'),
    maintain: (retentionDays) => maintain(database, retentionDays),
  };
}

async function write<Row>(
  database: Database,
  table: Metered,
  rows: readonly Row[],
  timeOf: (row: Row) => Date,
  insert: string,
): Promise<void> {
  if (rows.length === 0) return;
  const values = [storableJson(rows)];
  try {
    await database.query(insert, values);
  } catch (error) {
    if (!(error instanceof StoreError) || error.details.sqlState !== NO_PARTITION) throw error;
    await createPartitions(database, table, rows.map(timeOf).map(dayOf));
    await database.query(insert, values);
  }
}
/** SQLSTATE check_violation: the tables have no other checks than their partitions. */
const NO_PARTITION = '23514';

async function maintain(database: Database, retentionDays: number): Promise<void> {
  const now = Date.now();
  const days = Array.from({ length: AHEAD + 1 }, (_, i) => dayOf(new Date(now + i * DAY_MS)));
  for (const table of METERED) await createPartitions(database, table, days);
  await database.query(`delete from autoflow.acknowledgements where at < now() - $1::interval`, [FORGET_HOSTS]);
  for (const table of METERED) await dropPartitions(database, table, dayOf(new Date(now - retentionDays * DAY_MS)));
  await database.query(`delete from autoflow.calibrations where started_at < now() - make_interval(days => $1)`, [retentionDays]);
}

/** Property of the row, column, type: one list for writing and reading. */
const INVOCATION: readonly (readonly [keyof InvocationRow, string, string])[] = [
  ['runId', 'run_id', 'text'],
  ['activityId', 'activity_id', 'text'],
  ['attempt', 'attempt', 'int'],
  ['executionId', 'execution_id', 'text'],
  ['pipeline', 'pipeline', 'text'],
  ['release', 'release', 'text'],
  ['version', 'version', 'text'],
  ['stage', 'stage', 'text'],
  ['scope', 'scope', 'text'],
  ['batchId', 'batch_id', 'text'],
  ['host', 'host', 'text'],
  ['startedAt', 'started_at', 'timestamptz'],
  ['queueMs', 'queue_ms', 'float8'],
  ['gateMs', 'gate_ms', 'float8'],
  ['cold', 'cold', 'boolean'],
  ['coldStartMs', 'cold_start_ms', 'float8'],
  ['durationMs', 'duration_ms', 'float8'],
  ['cpuMs', 'cpu_ms', 'float8'],
  ['runQueueMs', 'run_queue_ms', 'float8'],
  ['peakMemoryMb', 'peak_memory_mb', 'float8'],
  ['memoryMb', 'memory_mb', 'int'],
  ['enforcement', 'enforcement', 'text'],
  ['recordsIn', 'records_in', 'int'],
  ['recordsOut', 'records_out', 'int'],
  ['filtered', 'filtered', 'int'],
  ['dead', 'dead', 'int'],
  ['retried', 'retried', 'int'],
  ['bytesIn', 'bytes_in', 'bigint'],
  ['bytesOut', 'bytes_out', 'bigint'],
  ['outcome', 'outcome', 'text'],
  ['error', 'error', 'text'],
  ['costUsd', 'cost_usd', 'float8'],
  ['spans', 'spans', 'jsonb'],
];
const POOL_USAGE: readonly (readonly [keyof PoolUsageRow, string, string])[] = [
  ['host', 'host', 'text'],
  ['pipeline', 'pipeline', 'text'],
  ['version', 'version', 'text'],
  ['stage', 'stage', 'text'],
  ['memoryMb', 'memory_mb', 'int'],
  ['from', 'from_at', 'timestamptz'],
  ['to', 'to_at', 'timestamptz'],
  ['provisionedS', 'provisioned_s', 'float8'],
  ['busyS', 'busy_s', 'float8'],
  ['provisionedMbS', 'provisioned_mb_s', 'float8'],
  ['usedMbS', 'used_mb_s', 'float8'],
];

function insertOf(table: Metered | 'calibrations', columns: readonly (readonly [string, string, string])[]): string {
  const properties = columns.map(([property, , type]) => `"${property}" ${type}`).join(', ');
  return `insert into autoflow.${table} (${columns.map(([, column]) => column).join(', ')})
    select ${columns.map(([property]) => `"${property}"`).join(', ')} from json_to_recordset($1) r (${properties}) on conflict do nothing`;
}
const insertInvocations = insertOf('invocations', INVOCATION);
const insertCalibrations = insertOf('calibrations', INVOCATION);
const insertPoolUsage = insertOf('pool_usage', POOL_USAGE);

const COLUMNS = INVOCATION.map(([property, column]) => `${column} as "${property}"`).join(', ');
export const SELECT_INVOCATIONS = `select ${COLUMNS}, probe, "openedAt", "closedAt" from autoflow.invocations left join (
    select id as of_batch, nullif(probe, false) as probe, opened_at as "openedAt", closed_at as "closedAt" from autoflow.batches
  ) b on of_batch = batch_id`;
export const SELECT_CALIBRATIONS = `select ${COLUMNS}, true as calibration from autoflow.calibrations`;
