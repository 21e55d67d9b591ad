export const provedRollouts = {
  name: '0021-proved-rollouts',
  sql: `
alter table autoflow.rollouts
  -- Since when it is proved, and AutoFlow may not promote it by itself; moved forward by the time in which it is held. Null: it is not proved.
  add column proved_at timestamptz,
  -- {until, arms}: what the arms did and cost in the canary, of the batches that were closed by then. Later batches are added at each look.
  add column totals json;
`,
};
