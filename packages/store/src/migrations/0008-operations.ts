export const operations = {
  name: '0008-operations',
  sql: `
alter table autoflow.tokens
  add column expires_at timestamptz,
  add column rotated_at timestamptz,
  -- Of the present hash only: null until the new token was used for the first time.
  add column last_used_at timestamptz,
  -- The one before the last rotation, and how long it is still taken.
  add column previous_hash bytea unique,
  add column previous_until timestamptz,
  -- It was the last admin's: taken, whatever the time, until the new one has been used.
  add column previous_until_used boolean not null default false;

-- Autonomy, freezes, pin, objective and spend cap; no row is the default, revision 0.
create table autoflow.pipeline_settings (
  pipeline text collate "C" primary key references autoflow.pipelines,
  revision integer not null,
  settings jsonb not null,
  actor text not null,
  reason text not null,
  updated_at timestamptz not null default now()
);

-- An operator's bounds inside the envelope, per stage.
alter table autoflow.allocations add column clamps jsonb not null default '{}';

-- Writes that were sent with an Idempotency-Key. A row without a status is being worked on.
create table autoflow.idempotency_keys (
  actor text not null,
  key text not null,
  route text not null,
  digest bytea not null,
  status integer,
  -- Null also where the answer held a secret.
  body text,
  etag text,
  created_at timestamptz not null default now(),
  primary key (actor, key)
);
create index idempotency_keys_created on autoflow.idempotency_keys (created_at);

-- What became of a dead letter; null: nothing yet.
alter table autoflow.dead_letters
  add column fate text check (fate in ('redriven', 'discarded')),
  add column fate_at timestamptz,
  add column fate_by text,
  add column fate_reason text;
create index dead_letters_record on autoflow.dead_letters (pipeline, scope, key);
create index dead_letters_open on autoflow.dead_letters (pipeline, code) where fate is null;
create index audit_action on autoflow.audit (action, id);
create index audit_actor on autoflow.audit (actor, id);
create index audit_at on autoflow.audit (at);
`,
};
