/** For a user's tests: pipelines run in this process, with fakes for resources. */
export { checkReduce, type ReduceReport } from './check-reduce.js';
export { fake, type Fake } from './fake.js';
export { testPipeline, type BatchSize, type OutcomeOf, type TestOptions } from './test-pipeline.js';
export { toMermaid } from './to-mermaid.js';
export type { TestTopology } from './run-topology.js';
