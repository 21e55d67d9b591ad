export const optimizations = {
  name: '0015-optimizations',
  sql: `
create table autoflow.optimizations (
  id text collate "C" primary key,
  pipeline text collate "C" not null references autoflow.pipelines,
  actor text not null,
  request json not null,
  state text not null default 'running' check (state in ('running', 'completed', 'cancelled', 'failed')),
  decisions json not null default '[]',
  progress json,
  -- The stable version that it began with, the one that it registered, and the rollout that it started.
  version text,
  registered text,
  rollout text,
  reason text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index optimizations_newest on autoflow.optimizations (pipeline, created_at desc, id desc);
-- Two at once would propose from the same measurements and take each other's cores.
create unique index optimizations_one_running on autoflow.optimizations (pipeline) where state = 'running';

-- What each step has found out: whoever does the step again takes it from here.
create table autoflow.optimization_documents (
  optimization text collate "C" not null references autoflow.optimizations on delete cascade,
  step text not null,
  document json not null,
  created_at timestamptz not null default now(),
  primary key (optimization, step)
);

-- Of a version that an optimizer proposed: who, with what prediction, and the certificate.
alter table autoflow.versions add column proposal json;
`,
};
