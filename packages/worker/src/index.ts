export type * from './contract.js';
export { createWorker } from './create-worker.js';
/** For workers that serve workflows of their own beside ours. */
export { executionActivities, type ExecutionPorts } from './activities/execution-activities.js';
export { versionsOf, type Versions } from './versions.js';
