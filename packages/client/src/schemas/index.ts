/** What goes over the wire: the control plane checks requests and documents answers with these, the client takes its types from them. */
export * from './allocations.js';
export * from './audit.js';
export * from './backfills.js';
export * from './common.js';
export * from './dead-letters.js';
export * from './events.js';
export * from './health.js';
export * from './ingest.js';
export * from './hosts.js';
export * from './metrics.js';
export * from './pipeline-spec.js';
export * from './pipelines.js';
export * from './problem.js';
export * from './records.js';
export * from './topology.js';
export * from './versions.js';
export * from './webhooks.js';
