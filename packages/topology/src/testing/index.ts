export { dependencyOracle, type OracleDependency } from './dependency-oracle.js';
