export type { Fields, Json } from './json.js';
export type { ChildState, Death, Filtered, Outcome, OutcomeCounts, RecordState } from './record-state.js';
export type { Effect, FunctionKind, NodeSpec, PipelineSpec, ResourceSpec, RetryPolicy } from './spec.js';
