export const heldRollouts = {
  name: '0017-held-rollouts',
  sql: `
-- Whoever moves the arms ends the rollout in the same transaction: no revision has to tell.
alter table autoflow.rollouts drop column arms_revision;
-- Time in which it was paused or frozen does not count toward what it has; it grows with each evaluation.
alter table autoflow.rollouts
  add column held_ms double precision not null default 0,
  add column evaluated_at timestamptz;
`,
};
