export const rollouts = {
  name: '0013-rollouts',
  sql: `
-- A control group of the stable version, as large as the candidate: its batches are made as the candidate's are.
alter table autoflow.pipelines
  add column control_share smallint not null default 0,
  drop constraint pipelines_shares,
  add constraint pipelines_shares check (candidate_share >= 0 and control_share >= 0 and holdout_share >= 0
    and candidate_share + control_share + holdout_share <= 10000);
alter table autoflow.batches
  drop constraint batches_arm_check,
  add constraint batches_arm_check check (arm in ('stable', 'candidate', 'control', 'holdout', 'pinned'));
-- What is compared: the few batches of the small arms, and those of the stable version for the ledger.
create index batches_arms on autoflow.batches (pipeline, opened_at) where arm is not null;

create table autoflow.rollouts (
  id text collate "C" primary key,
  pipeline text collate "C" not null references autoflow.pipelines,
  version text not null,
  -- The stable version when it began: what it is compared with, and what a rollback leaves.
  baseline text not null,
  -- Started by AutoFlow itself: it asks at each step whether it may.
  own boolean not null,
  actor text not null,
  reason text not null,
  settings json not null,
  state text not null default 'starting' check (state in
    ('starting', 'shadow', 'warming', 'canary', 'promoted', 'rolled-back', 'aborted', 'superseded', 'failed')),
  paused boolean not null default false,
  -- [{percent, from, to}], the steps of the canary so far; times in milliseconds.
  steps json not null default '[]',
  -- Of the arms as the rollout left them: another revision means that somebody else has moved them.
  arms_revision integer,
  -- What the holdout was before.
  holdout json,
  shadow json,
  judgement json,
  harm json,
  outcome text,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  foreign key (pipeline, version) references autoflow.versions (pipeline, name),
  foreign key (pipeline, baseline) references autoflow.versions (pipeline, name)
);
create unique index rollouts_active on autoflow.rollouts (pipeline) where ended_at is null;
create index rollouts_pipeline on autoflow.rollouts (pipeline, created_at desc);

create table autoflow.rollout_evaluations (
  rollout text collate "C" not null references autoflow.rollouts,
  number integer not null,
  at timestamptz not null default now(),
  percent double precision not null,
  decision text not null,
  reason text not null,
  judgement json not null,
  primary key (rollout, number)
);

-- What a version has been: written with what made it so.
create table autoflow.version_statuses (
  id bigint generated always as identity primary key,
  pipeline text collate "C" not null,
  version text not null,
  status text not null,
  at timestamptz not null default now(),
  actor text not null,
  reason text not null,
  foreign key (pipeline, version) references autoflow.versions (pipeline, name)
);
create index version_statuses_version on autoflow.version_statuses (pipeline, version, id);
`,
};
