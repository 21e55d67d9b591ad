export const bundles = {
  name: '0007-bundles',
  sql: `
-- Content-addressed: the hash covers wiring and code, so a row is never changed.
create table autoflow.bundles (
  hash text collate "C" primary key,
  manifest json not null,
  code bytea not null,
  source_map bytea,
  created_at timestamptz not null default now()
);
-- A function host reads a bundle once: compressing it on the way in costs more than it saves.
alter table autoflow.bundles alter column code set storage external;
alter table autoflow.bundles alter column source_map set storage external;

-- Hash of each function's own code and specification, by node; none for releases that were registered without their code.
alter table autoflow.releases add column functions json;
`,
};
