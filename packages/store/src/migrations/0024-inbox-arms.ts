export const inboxArms = {
  name: '0024-inbox-arms',
  sql: `
-- The bucket in the index: what waits of other arms is passed without being read.
drop index autoflow.inbox_claim;
create index inbox_claim on autoflow.inbox (pipeline, stream, id, bucket);
-- In slots of a hundred buckets: a small arm is found beside a large one.
create index inbox_slots on autoflow.inbox (pipeline, stream, (bucket / 100), id, bucket);
`,
};
