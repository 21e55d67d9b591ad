export const closedBlocks = {
  name: '0019-closed-blocks',
  sql: `
-- What the arms of a canary's step did in its blocks of time, once nothing changes them any more: an evaluation reads the rows of later blocks only.
create table autoflow.closed_blocks (
  rollout text collate "C" not null references autoflow.rollouts,
  step smallint not null,
  block integer not null,
  -- The candidate's, or those of what it is compared with.
  ours boolean not null,
  records double precision not null,
  dead double precision not null,
  errors double precision not null,
  filtered double precision not null,
  latency_ms double precision not null,
  -- Buckets of latency, ascending, and how many records are in each or in a later one.
  buckets smallint[] not null,
  at_least integer[] not null,
  charged double precision not null,
  cost_usd double precision not null,
  executions double precision not null,
  attempts double precision not null,
  primary key (rollout, step, block, ours)
);
-- So many of its first blocks are closed, those with nothing in them too.
create table autoflow.closed_steps (
  rollout text collate "C" not null references autoflow.rollouts,
  step smallint not null,
  blocks integer not null,
  primary key (rollout, step)
);
`,
};
