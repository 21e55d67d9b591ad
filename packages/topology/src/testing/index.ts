/** For tests of this and other packages; needs fast-check, which is a development dependency of the repository. */
export { arbitraryPipelineSpec } from './arbitrary-pipeline.js';
export { arbitraryLegalTopology, shuffled } from './arbitrary-topology.js';
export { dependencyOracle, type OracleDependency } from './dependency-oracle.js';
