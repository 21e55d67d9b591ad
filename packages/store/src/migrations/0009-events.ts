export const events = {
  name: '0009-events',
  sql: `
-- What happened, told to whoever listens: written in the transaction of what it tells of, never changed, removed by age.
-- Ids are given out before transactions commit, so an event of a lower id may become visible after one of a higher id. Readers go by (tx, id), and
-- read only what was written by transactions older than every one that still runs: behind such a place nothing appears any more.
create table autoflow.events (
  id bigint generated always as identity,
  tx xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  pipeline text collate "C",
  type text collate "C" not null,
  data json not null,
  primary key (tx, id)
);
create index events_at on autoflow.events using brin (at) with (autosummarize = on);

create table autoflow.webhooks (
  id text collate "C" primary key,
  url text not null,
  -- Null: all of them.
  types text[],
  pipelines text[],
  -- In the clear, because it signs. No reader of the API ever gets it.
  secret text not null,
  created_at timestamptz not null default now(),
  -- The last event that was delivered, or that the webhook does not want.
  cursor_tx xid8 not null,
  cursor_id bigint not null,
  -- Attempts to deliver the next event that failed, since when, and when to try again.
  attempts integer not null default 0,
  failing_since timestamptz,
  next_at timestamptz not null default now(),
  last_error text,
  delivered bigint not null default 0,
  disabled_at timestamptz,
  -- Whoever delivers holds it until then, so that no event is sent by two at a time.
  lease_until timestamptz
);
`,
};
