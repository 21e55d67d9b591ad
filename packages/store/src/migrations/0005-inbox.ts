export const inbox = {
  name: '0005-inbox',
  sql: `
-- Only what waits: a record that is claimed leaves, so that claiming costs the same whatever the history.
create table autoflow.inbox (
  -- Order of arrival.
  id bigint generated always as identity primary key,
  pipeline text collate "C" not null,
  -- 'live', or the backfill's.
  scope text collate "C" not null,
  key text collate "C" not null,
  -- json, not jsonb: as it came, escapes included.
  record json not null,
  -- SHA-256 of the canonical record.
  digest bytea not null,
  bytes integer not null,
  arrived_at timestamptz not null default now(),
  -- No batch lingers for others beyond it.
  due_at timestamptz,
  -- Stable hash of the key: decides the arm.
  bucket smallint not null check (bucket between 0 and 9999),
  -- Null: that of its arm.
  version text collate "C",
  -- The new outcome becomes the current one, whatever there was.
  replace boolean not null default false,
  backfill_id text collate "C",
  -- Times it was claimed before.
  feeds smallint not null default 0,
  -- Why it cannot be a record: it takes part as a dead one.
  problem text,
  -- What may share a batch, but for the arm. Live ones sort first; neither id nor version contains the separator.
  stream text collate "C" not null generated always as (coalesce(backfill_id, '') || chr(31) || coalesce(version, '') || chr(31) || scope) stored,
  unique (pipeline, scope, key)
) with (
  -- Rows live for a moment: what is dead at the head of the queue would be walked over at every claim.
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 5000
);
create index inbox_claim on autoflow.inbox (pipeline, stream, id);

-- The way in by COPY: a feeder takes from it what it finds, checked as ingest checks.
create table autoflow.landing (
  id bigint generated always as identity primary key,
  pipeline text not null,
  record json not null,
  arrived_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Shares are of 10,000 buckets: the holdout has the lowest, the candidate the highest, stable the rest.
alter table autoflow.pipelines
  add column candidate_version text,
  add column candidate_share smallint not null default 0,
  add column holdout_version text,
  add column holdout_share smallint not null default 0,
  add column arms_revision integer not null default 1,
  add column feeding_paused boolean not null default false,
  add constraint pipelines_shares check (candidate_share >= 0 and holdout_share >= 0 and candidate_share + holdout_share <= 10000),
  add foreign key (name, candidate_version) references autoflow.versions (pipeline, name),
  add foreign key (name, holdout_version) references autoflow.versions (pipeline, name);

alter table autoflow.batches
  -- Null: came by the direct door.
  add column arm text check (arm in ('stable', 'candidate', 'holdout', 'pinned')),
  add column probe boolean not null default false,
  -- Records that went back into the inbox.
  add column dissolved integer not null default 0,
  -- Of a rollback that takes back what is in flight.
  add column aborted boolean not null default false,
  -- When a reconciler last took it up.
  add column checked_at timestamptz;
create index batches_closed on autoflow.batches (pipeline, closed_at) where state = 'closed' and arm is not null;

alter table autoflow.records
  add column digest bytea,
  add column feeds smallint not null default 0;

alter table autoflow.backfills
  -- Records per second.
  add column rate double precision,
  -- Of the executions that may be open at once.
  add column max_share double precision not null default 0.5 check (max_share > 0 and max_share <= 1),
  add column skip_known boolean not null default false,
  -- Records left out because the scope live knows their key.
  add column skipped bigint not null default 0;
`,
};
