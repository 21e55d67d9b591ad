export const ledger = {
  name: '0002-ledger',
  sql: `
create table autoflow.backfills (
  id text collate "C" primary key,
  pipeline text collate "C" not null references autoflow.pipelines,
  scope text collate "C" not null,
  version text,
  source json not null,
  record_limit bigint,
  concurrency integer not null,
  batch_records integer,
  state text not null default 'running' check (state in ('running', 'paused', 'completed', 'cancelled', 'failed')),
  reason text,
  cursor bigint not null default 0,
  read bigint not null default 0,
  settled bigint not null default 0,
  completed bigint not null default 0,
  filtered bigint not null default 0,
  dead bigint not null default 0,
  cancelled bigint not null default 0,
  total bigint,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index backfills_pipeline on autoflow.backfills (pipeline, created_at desc);

create table autoflow.batches (
  id text collate "C" primary key,
  pipeline text collate "C" not null,
  version text not null,
  release text not null,
  scope text collate "C" not null,
  execution_id text not null,
  state text not null default 'open' check (state in ('open', 'closed')),
  ref json not null,
  memory_mb jsonb not null,
  backfill_id text collate "C",
  admitted integer not null default 0,
  -- Keys of the batch that had an outcome or ran elsewhere: what \`open\` answers again when it is repeated.
  known text[] not null default '{}',
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  completed integer not null default 0,
  filtered integer not null default 0,
  dead integer not null default 0,
  cancelled integer not null default 0
);
create index batches_open on autoflow.batches (pipeline, scope, opened_at) where state = 'open';

create table autoflow.records (
  pipeline text collate "C" not null,
  scope text collate "C" not null,
  key text collate "C" not null,
  state text not null check (state in ('running', 'completed', 'filtered', 'dead', 'cancelled')),
  batch_id text collate "C" not null,
  version text not null,
  release text not null,
  arrived_at timestamptz not null,
  ended_at timestamptz,
  output json,
  -- Of a filtered record the filter and its reason; of a dead one the function (or stage), code and message.
  ended_by text,
  reason text,
  message text,
  primary key (pipeline, scope, key)
);
create index records_running on autoflow.records (batch_id) where state = 'running';
-- For lists by state: the few among the many that completed.
create index records_ended_otherwise on autoflow.records (pipeline, state, scope, key) where state in ('filtered', 'dead', 'cancelled');
-- For windows of time: rows lie on disk nearly in the order in which they ended, and a BRIN costs next to nothing to keep.
create index records_ended on autoflow.records using brin (ended_at) with (autosummarize = on);

create table autoflow.dead_letters (
  id bigint generated always as identity primary key,
  pipeline text collate "C" not null,
  scope text collate "C" not null,
  key text collate "C" not null,
  batch_id text collate "C" not null,
  version text not null,
  release text not null,
  died_in text not null,
  code text not null,
  message text not null,
  died_at timestamptz not null default now(),
  record json not null
);
create index dead_letters_pipeline on autoflow.dead_letters (pipeline, id);
`,
};
