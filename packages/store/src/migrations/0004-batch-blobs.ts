export const batchBlobs = {
  name: '0004-batch-blobs',
  sql: `
create table autoflow.batch_blobs (
  id uuid not null,
  -- Blobs beyond 32 MB are cut into rows.
  part integer not null,
  pipeline text not null,
  batch_id text collate "C" not null,
  label text not null,
  created_at timestamptz not null default now(),
  data bytea not null,
  primary key (id, part)
);
-- A blob is written once and read once or twice: compressing it costs more than it saves.
alter table autoflow.batch_blobs alter column data set storage external;
create index batch_blobs_created on autoflow.batch_blobs (created_at);
`,
};
