export const hostBounds = {
  name: '0023-host-bounds',
  sql: `
-- How many executions the feeder of the host lets be open, by pipeline and room.
alter table autoflow.hosts add column bounds json;
`,
};
