export const fleet = {
  name: '0006-fleet',
  sql: `
-- A process of the fleet, as long as its lease lasts: seen_at is the database's clock, so that those of hosts need not agree.
create table autoflow.hosts (
  host text collate "C" primary key,
  -- Tells a process from the next one of the same name.
  incarnation uuid not null,
  roles text[] not null,
  version text not null,
  enforcement text,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);

-- What a host holds of a limit that the fleet shares; ends with its lease.
create table autoflow.shares (
  name text collate "C" not null,
  host text collate "C" not null references autoflow.hosts on delete cascade,
  amount double precision not null,
  -- It wants its part; a host that only ends what it had begun does not.
  wanted boolean not null,
  primary key (name, host)
);
create index shares_host on autoflow.shares (host);
`,
};
