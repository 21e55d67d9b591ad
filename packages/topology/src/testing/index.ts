/** For tests and benchmarks of this and other packages; needs fast-check, which is a development dependency of the repository. */
export { arbitraryPipelineSpec } from './arbitrary-pipeline.js';
export { arbitraryLegalTopology, shuffled } from './arbitrary-topology.js';
export { checkSequence, type SequenceReport } from './check-sequence.js';
export { dependencyOracle, type OracleDependency } from './dependency-oracle.js';
export { arbitraryExecutable, calls, executable, type Call, type Executable } from './executable-pipeline.js';
export { arbitraryChoices, rewriteAtRandom, type Choices, type Rewritten } from './random-rewrites.js';
export { differences, runOutcomes, type Ended } from './run-outcomes.js';
