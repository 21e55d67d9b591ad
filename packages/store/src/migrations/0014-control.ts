export const control = {
  name: '0014-control',
  sql: `
-- Who controls the allocation of a pipeline, and where it stands.
create table autoflow.controls (
  pipeline text collate "C" primary key references autoflow.pipelines,
  holder text,
  held_until timestamptz not null,
  state jsonb,
  updated_at timestamptz not null default now()
);

-- What each interval showed, and what was decided: the memory of the controller, the observed arrivals that it is judged by.
create table autoflow.control_steps (
  pipeline text collate "C" not null references autoflow.pipelines,
  at timestamptz not null,
  version text not null,
  tick jsonb not null,
  decided jsonb not null,
  primary key (pipeline, at)
);
`,
};
