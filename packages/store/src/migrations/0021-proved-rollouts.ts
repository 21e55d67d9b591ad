export const provedRollouts = {
  name: '0021-proved-rollouts',
  sql: `
alter table autoflow.rollouts
  -- When it was proved first, and AutoFlow might not promote it by itself.
  add column proved_at timestamptz,
  -- {until, arms}: what the arms did and cost in the canary, of the batches that were closed by then. Later batches are added at each look.
  add column totals json;
`,
};
