export const scorers = {
  name: '0022-scorers',
  sql: `
-- Scorers that were retrained on the history of a release of a pipeline. The newest that is kept is used for it; those that were no better are told of.
create table autoflow.scorers (
  id text collate "C" primary key,
  pipeline text collate "C" not null,
  release text not null,
  kept boolean not null,
  -- Why it is kept, or is not.
  reason text not null,
  -- Data hash, seed, figures on what was held out.
  about json not null,
  file text not null,
  created_at timestamptz not null default now(),
  foreign key (pipeline, release) references autoflow.releases
);
create index scorers_newest on autoflow.scorers (pipeline, created_at desc, id desc);
create index scorers_kept on autoflow.scorers (pipeline, release, created_at desc, id desc) where kept;
`,
};
