/** The entry of the workflow bundle: every export is a workflow type, `default` runs every other type. */
export { execution as default } from './execution/execution.js';
export { Backfill } from './backfill.js';
export { Rollout } from './rollout.js';
export { BackfillDryRun } from './backfill-dry-run.js';
export { Calibration } from './calibration.js';
export { Retraining } from './retraining.js';
export { Training } from './training.js';
export { Allocation } from './allocation.js';
export { Optimization } from './optimization.js';
