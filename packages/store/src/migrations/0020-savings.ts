export const savings = {
  name: '0020-savings',
  sql: `
-- What a version saved on a day that is over: the rows that tell are dropped after their retention, this stays.
create table autoflow.savings_days (
  pipeline text collate "C" not null references autoflow.pipelines,
  version text not null,
  against text not null,
  -- A day (UTC), or the part of it on which the version was stable.
  from_at timestamptz not null,
  to_at timestamptz not null,
  savings json not null,
  primary key (pipeline, from_at, version)
);
`,
};
