export const calibrations = {
  name: '0016-calibrations',
  sql: `
-- What functions took over recorded inputs: as invocations, and apart from them, so that nothing that is told of a version counts them.
create table autoflow.calibrations (like autoflow.invocations including all);
`,
};
