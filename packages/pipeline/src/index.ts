/** What a user imports to define pipelines, and what the platform needs to read a definition. */
export { defineExpand, type Expand } from './expand.js';
export { defineFilter, type Filter } from './filter.js';
export { defineFunction, type Fn } from './function.js';
export { definePipeline, isPipeline, pipelinesIn, type AnyPipeline, type InputOf, type OutputOf, type Pipeline } from './pipeline.js';
export { defineReduce, type Reduce } from './reduce.js';
export { defineResource, type Resource, type ResourceLimit } from './resource.js';
export { join } from './join.js';
export { isTerminalError, TerminalError } from './terminal-error.js';
export { DefinitionError } from './definition-error.js';
export { dependencies, type Dependency } from './dependencies.js';
export { specOf } from './spec-of.js';
export type { BatchContext, Context, Uses, WriteContext } from './context.js';
export type { CallOptions, FunctionDefinition, RetryOptions } from './definition.js';
export type { Fields, Json } from './json.js';
export type { ChildState, Death, Filtered, Outcome, OutcomeCounts, RecordState } from './record-state.js';
export type { Schema, WiringError } from './schema.js';
export type { Effect, FunctionKind, NodeSpec, PipelineSpec, ResourceSpec, RetryPolicy } from './spec.js';
export type { Rec, Scope } from './symbolic-record.js';
