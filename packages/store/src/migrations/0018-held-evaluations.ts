export const heldEvaluations = {
  name: '0018-held-evaluations',
  sql: `
-- What the last evaluation found: only time between two that found it paused or frozen is known to be held.
alter table autoflow.rollouts add column held boolean not null default false;
`,
};
