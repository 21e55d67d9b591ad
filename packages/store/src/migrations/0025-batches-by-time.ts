export const batchesByTime = {
  name: '0025-batches-by-time',
  sql: `
-- Also those of the direct door: control looks at the last seconds of all batches of a version, and rows are never deleted.
drop index autoflow.batches_arms;
create index batches_opened on autoflow.batches (pipeline, opened_at);
drop index autoflow.batches_closed;
create index batches_closed on autoflow.batches (pipeline, closed_at) where state = 'closed';
`,
};
