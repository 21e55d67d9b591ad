import type { Fields } from '@autoflow/pipeline';
import type { Database } from './database.js';
import type { RecordedCalls, RecordedInput, RecordedOutcome, RecordingBounds, RecordingStore } from './recordings.model.js';

export function recordingStore(database: Database): RecordingStore {
  return {
    writeInputs: (rows) => writeInputs(database, rows),
    writeCalls: (rows) => writeCalls(database, rows),
    sample: (request) => sample(database, request),
    calls: (request) => callsOf(database, request),
    async maintain(bounds) {
      await remove(database, 'recorded_inputs', 'pipeline', 'record', bounds);
      await remove(database, 'recorded_calls', 'pipeline, function', 'calls', bounds);
    },
  };
}

/** Of what comes twice in one statement the last counts, as between statements. */
async function writeInputs(database: Database, rows: readonly RecordedInput[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <Name extends keyof RecordedInput>(name: Name) => rows.map((row) => row[name]);
  await database.query(
    `insert into autoflow.recorded_inputs (pipeline, scope, key, arrived_at, record)
     select distinct on (pipeline, scope, key) pipeline, scope, key, arrived_at, record
       from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[]) with ordinality r (pipeline, scope, key, arrived_at, record, n)
      order by pipeline, scope, key, n desc
     on conflict (pipeline, scope, key) do update set arrived_at = excluded.arrived_at, record = excluded.record, recorded_at = now()`,
    [
      column('pipeline'),
      column('scope'),
      column('key'),
      column('arrivedAt'),
      rows.map(({ record }) => Buffer.from(JSON.stringify(record))),
    ],
  );
}

async function writeCalls(database: Database, rows: readonly RecordedCalls[]): Promise<void> {
  if (rows.length === 0) return;
  const column = (name: keyof RecordedCalls) => rows.map((row) => row[name]);
  await database.query(
    `insert into autoflow.recorded_calls (pipeline, scope, key, function, node, calls)
     select distinct on (pipeline, scope, key, function, node) pipeline, scope, key, function, node, calls
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[]) with ordinality r (pipeline, scope, key, function, node, calls, n)
      order by pipeline, scope, key, function, node, n desc
     on conflict (pipeline, scope, key, function, node) do update set calls = excluded.calls, recorded_at = now()`,
    [column('pipeline'), column('scope'), column('key'), column('function'), column('node'), rows.map(({ calls }) => Buffer.from(calls))],
  );
}

interface SampleRow {
  readonly scope: string;
  readonly key: string;
  readonly arrivedAt: Date;
  readonly record: Buffer;
  readonly state: RecordedOutcome['outcome']['state'];
  readonly by: string | null;
  readonly reason: string | null;
  readonly output: Fields | null;
}

/** Answers are written a moment after the outcome: what is whole is looked for among so many times as many as are asked for. */
const AMONG = 4;

async function sample(
  database: Database,
  { pipeline, release, answered = {}, limit }: Parameters<RecordingStore['sample']>[0],
): Promise<RecordedOutcome[]> {
  const rows = await database.query<SampleRow>(
    `with latest as (
       select i.scope, i.key, i.arrived_at, i.record, i.recorded_at, r.state, r.ended_by, r.reason, r.output
         from autoflow.recorded_inputs i
         join autoflow.records r on r.pipeline = i.pipeline and r.scope = i.scope and r.key = i.key
        where i.pipeline = $1 and r.state in ('completed', 'filtered', 'dead') and ($2::text is null or r.release = $2)
        order by i.recorded_at desc, i.scope, i.key limit $3::int * $4::int),
     ordered as (
       select l.*, not exists (
                select from unnest($5::text[], $6::text[]) f (node, function)
                 where (l.state = 'completed' or f.node = l.ended_by) and not exists (
                       select from autoflow.recorded_calls c
                        where c.pipeline = $1 and c.scope = l.scope and c.key = l.key and c.function = f.function and c.node = f.node)
              ) as whole
         from latest l)
     select scope, key, arrived_at as "arrivedAt", record, state, ended_by as by, reason, output
       from ordered order by whole desc, recorded_at desc, scope, key limit $3`,
    [pipeline, release ?? null, limit, AMONG, Object.keys(answered), Object.values(answered)],
  );
  return rows.map(({ scope, key, arrivedAt, record, state, by, reason, output }) => ({
    pipeline,
    scope,
    key,
    arrivedAt,
    record: JSON.parse(record.toString()) as Fields,
    outcome: { state, ...(by !== null && { by }), ...(reason !== null && { reason }), ...(output !== null && { output }) },
  }));
}

async function callsOf(
  database: Database,
  { pipeline, records, functions }: Parameters<RecordingStore['calls']>[0],
): Promise<RecordedCalls[]> {
  const rows = await database.query<Omit<RecordedCalls, 'pipeline' | 'calls'> & { calls: Buffer }>(
    `select c.scope, c.key, c.function, c.node, c.calls
       from unnest($2::text[], $3::text[]) r (scope, key)
       join autoflow.recorded_calls c on c.pipeline = $1 and c.scope = r.scope and c.key = r.key
      where c.function = any ($4::text[])`,
    [pipeline, records.map(({ scope }) => scope), records.map(({ key }) => key), functions],
  );
  return rows.map((row) => ({ ...row, pipeline, calls: row.calls.toString() }));
}

async function remove(
  database: Database,
  table: string,
  of: string,
  content: string,
  { days, rows, bytes }: RecordingBounds,
): Promise<void> {
  await database.patient.query(
    `delete from autoflow.${table} where ctid = any (array(
       select ctid from (
         select ctid, recorded_at, row_number() over latest as n, sum(octet_length(${content})) over latest as total
           from autoflow.${table} window latest as (partition by ${of} order by recorded_at desc rows unbounded preceding)) r
        where recorded_at < now() - make_interval(days => $1) or n > $2 or total > $3))`,
    [days, rows, bytes],
  );
}
