export const definitions = {
  name: '0001-definitions',
  sql: `
create table autoflow.pipelines (
  name text collate "C" primary key,
  stable_version text not null,
  stable_revision integer not null default 1,
  -- Counts the versions; its row lock is what makes version names unique.
  versions integer not null default 0,
  created_at timestamptz not null default now()
);

create table autoflow.releases (
  pipeline text collate "C" not null references autoflow.pipelines,
  hash text not null,
  -- json, not jsonb: jsonb refuses the escape \\u0000, which a schema or a record may contain.
  spec json not null,
  created_at timestamptz not null default now(),
  primary key (pipeline, hash)
);

create table autoflow.versions (
  pipeline text collate "C" not null,
  name text not null,
  number integer not null,
  hash text not null,
  release text not null,
  topology json not null,
  envelope json not null,
  parent text,
  author text not null,
  note text,
  created_at timestamptz not null default now(),
  primary key (pipeline, name),
  unique (pipeline, hash),
  foreign key (pipeline, release) references autoflow.releases
);
alter table autoflow.pipelines add foreign key (name, stable_version) references autoflow.versions (pipeline, name) deferrable initially deferred;

create table autoflow.allocations (
  pipeline text collate "C" not null,
  version text not null,
  revision integer not null default 1,
  stages jsonb not null,
  actor text not null,
  reason text not null,
  updated_at timestamptz not null default now(),
  primary key (pipeline, version),
  foreign key (pipeline, version) references autoflow.versions
);

create table autoflow.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  pipeline text collate "C",
  reason text not null,
  before json,
  after json,
  request_id text
);
create index audit_pipeline on autoflow.audit (pipeline, id);

create table autoflow.tokens (
  hash bytea primary key,
  name text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  created_at timestamptz not null default now()
);
`,
};
