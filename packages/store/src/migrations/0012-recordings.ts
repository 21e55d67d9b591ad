export const recordings = {
  name: '0012-recordings',
  sql: `
-- JSON as bytes: what users send may hold what json columns refuse, and nobody looks into it here.
create table autoflow.recorded_inputs (
  pipeline text collate "C" not null,
  scope text collate "C" not null,
  key text collate "C" not null,
  arrived_at timestamptz not null,
  record bytea not null,
  recorded_at timestamptz not null default now(),
  primary key (pipeline, scope, key)
);
create index recorded_inputs_latest on autoflow.recorded_inputs (pipeline, recorded_at desc);

create table autoflow.recorded_calls (
  pipeline text collate "C" not null,
  scope text collate "C" not null,
  key text collate "C" not null,
  function text collate "C" not null,
  node text collate "C" not null,
  calls bytea not null,
  recorded_at timestamptz not null default now(),
  primary key (pipeline, scope, key, function, node)
);
create index recorded_calls_latest on autoflow.recorded_calls (pipeline, function, recorded_at desc);
`,
};
