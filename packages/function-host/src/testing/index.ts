/** Function hosts and instances for tests and benchmarks: what lies between a test and a real process. */
export { createHostBench, Desired, type HostBench, type HostBenchOptions } from './host-bench.js';
export { measureColdStarts, measureInvocations } from './measure.js';
export { churnPools, type Churn } from './pool-churn.js';
export { createStageBench, type StageBench } from './stage-bench.js';
