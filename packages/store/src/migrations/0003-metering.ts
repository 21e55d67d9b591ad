export const metering = {
  name: '0003-metering',
  sql: `
-- Partitions are made by \`maintain\` and on demand, one per day (UTC); there is no default partition, because rows in it would keep
-- the day's own partition from being made.
create table autoflow.invocations (
  run_id text not null,
  activity_id text not null,
  attempt integer not null,
  execution_id text not null,
  pipeline text collate "C" not null,
  release text not null,
  version text not null,
  stage text not null,
  scope text not null,
  batch_id text not null,
  host text not null,
  started_at timestamptz not null,
  queue_ms double precision not null,
  gate_ms double precision not null,
  cold boolean not null,
  cold_start_ms double precision not null,
  duration_ms double precision not null,
  cpu_ms double precision not null,
  run_queue_ms double precision not null,
  peak_memory_mb double precision not null,
  memory_mb integer not null,
  enforcement text not null,
  records_in integer not null,
  records_out integer not null,
  filtered integer not null,
  dead integer not null,
  retried integer not null,
  bytes_in bigint not null,
  bytes_out bigint not null,
  outcome text not null,
  error text,
  cost_usd double precision not null,
  -- One object per function that ran in the invocation. In the row: written, deduplicated and dropped together with it.
  spans jsonb not null,
  -- The partition key must be part of it. A row that is written again has the same start.
  primary key (run_id, activity_id, attempt, started_at)
) partition by range (started_at);
create index invocations_pipeline on autoflow.invocations (pipeline, started_at);
create index invocations_execution on autoflow.invocations (execution_id);

create table autoflow.pool_usage (
  host text not null,
  pipeline text collate "C" not null,
  version text not null,
  stage text not null,
  memory_mb integer not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  provisioned_s double precision not null,
  busy_s double precision not null,
  provisioned_mb_s double precision not null,
  used_mb_s double precision not null,
  primary key (pipeline, version, stage, memory_mb, host, from_at)
) partition by range (from_at);
create index pool_usage_pipeline on autoflow.pool_usage (pipeline, from_at);

create table autoflow.acknowledgements (
  host text not null,
  pipeline text collate "C" not null,
  version text not null,
  stage text not null,
  memory_mb integer not null,
  concurrency integer not null,
  instances integer not null,
  allocation_revision integer,
  at timestamptz not null default now(),
  primary key (pipeline, version, stage, memory_mb, host)
);
create index acknowledgements_host on autoflow.acknowledgements (host);
`,
};
