export const training = {
  name: '0011-training',
  sql: `
create table autoflow.trainings (
  id text collate "C" primary key,
  settings jsonb not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  outcome text check (outcome in ('completed', 'stopped-early', 'cancelled', 'failed'))
);

-- What learners share. A version is only ever inserted: two who add the same one cannot both succeed.
create table autoflow.training_parameters (
  training text collate "C" not null references autoflow.trainings on delete cascade,
  version integer not null,
  steps bigint not null,
  weights bytea not null,
  sha256 bytea not null,
  learner integer,
  base integer,
  created_at timestamptz not null default now(),
  primary key (training, version)
);
-- Random numbers do not compress.
alter table autoflow.training_parameters alter column weights set storage external;

-- Where each learner stands, so that it goes on elsewhere.
create table autoflow.training_learners (
  training text collate "C" not null references autoflow.trainings on delete cascade,
  learner integer not null,
  state bytea not null,
  sha256 bytea not null,
  updated_at timestamptz not null default now(),
  primary key (training, learner)
);

-- The reward curve.
create table autoflow.training_points (
  training text collate "C" not null references autoflow.trainings on delete cascade,
  steps bigint not null,
  seconds float8 not null,
  version integer not null,
  score float8 not null,
  cost float8 not null,
  late float8 not null,
  primary key (training, steps)
);
`,
};
