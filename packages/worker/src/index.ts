export type * from './contract.js';
export { createWorker } from './create-worker.js';
/** For workers that serve workflows of their own beside ours. */
export { executionActivities, type ExecutionPorts } from './activities/execution-activities.js';
/** What backfills read, for whoever sends the same records another way. */
export { openSource, SourceError, type Source, type SourceAccess, type SourceRecord } from './sources/index.js';
export { CLAIM_LEASE_MS } from './feeding/feeder.js';
export { versionsOf, type Versions } from './versions.js';
export { controllerThread, type Controller, type ControllerSettings } from './control/controller.js';
export { controlStep, type ControlPorts } from './control/step.js';
/** Runs a rollout whose row is there. */
