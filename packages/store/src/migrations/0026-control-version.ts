export const controlVersion = {
  name: '0026-control-version',
  sql: `
-- What the control group runs; null: the stable version. Where a candidate has most of the traffic, its control group is a slice of it.
alter table autoflow.pipelines
  add column control_version text,
  add foreign key (name, control_version) references autoflow.versions (pipeline, name);
-- Versions that were promoted before have a slice beside their holdout from now on.
update autoflow.pipelines set control_share = holdout_share, arms_revision = arms_revision + 1
 where holdout_version <> stable_version and candidate_version is null and control_share = 0 and holdout_share between 1 and 5000;
`,
};
