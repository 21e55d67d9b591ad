export const traces = {
  name: '0010-traces',
  sql: `
-- W3C traceparent of the request that brought the record; null where nobody traces.
alter table autoflow.inbox add column trace text collate "C";
`,
};
