export {
  ALLOCATION_WORKFLOW,
  allocationWorkflowId,
  BACKFILL_DRY_RUN_WORKFLOW,
  BACKFILL_WORKFLOW,
  backfillDryRunWorkflowId,
  BackfillSignal,
  CALIBRATION_WORKFLOW,
  calibrationWorkflowId,
  backfillWorkflowId,
  MAXIMUM_INLINE_BYTES,
  OPTIMIZATION_WORKFLOW,
  optimizationScheduleId,
  optimizationWorkflowId,
  PROGRESS_QUERY,
  ROLLOUT_WORKFLOW,
  RolloutUpdate,
  rolloutWorkflowId,
  TRAINING_WORKFLOW,
  trainingWorkflowId,
} from './protocol.js';
export type { BackfillInput, BackfillStatus, ExecutionProgress, RolloutInput, StageProgress } from './protocol.js';
export { searchAttributes } from './search-attributes.js';
