/**
 * Legal changes of a topology, and the proof that a series of them is legal. Not for the workflow sandbox (it hashes).
 *
 * Legal means: every record gets the same outcome, and a sink the same rows of it, at any batch size. What a topology cannot say today is not
 * here, and no stand-in either:
 * - **drop dead fields**: needs a `keep` of a stage, the fields it writes on, honoured where an instance writes its output file;
 * - **memoise**: whether a read may be remembered is in its definition (`memo`); a topology could only choose between instance and fleet;
 * - **eliminate duplicate calls**: needs a stage to say that one call's answer serves another call of the same function with equal reads;
 * - **drop dead functions**: not legal. A function that nobody reads can still fail its record, so dropping it turns dead records into
 *   completed ones. Nothing declares today that a function cannot fail; until something does, it is for the author to remove it.
 */
export { certify, CertifyError } from '../certificate/certify.js';
export { checkCertificate } from '../certificate/check/check-certificate.js';
export type { Certificate, CertifiedStep } from '../certificate/certificate.js';
export { applyStep, conditionsOf, inverseOf, legalSteps, rewrites, type Step } from './all.js';
export { batchSize, type BatchSize } from './batch-size.js';
export { filterEarlier, type FilterEarlier } from './filter-earlier.js';
export { fuse, type Fuse } from './fuse.js';
export { StepError, tidy } from './graph.js';
export { linger, type Linger } from './linger.js';
export { move, type Move } from './move.js';
export { parallelise, type Parallelise } from './parallelise.js';
export { partition, type Partition } from './partition.js';
export { reorderNodes, type ReorderNodes } from './reorder-nodes.js';
export { reorderStages, type ReorderStages } from './reorder-stages.js';
export { sameTopology, type Condition, type Context, type Limits, type Rewrite, type WorkingSets } from './rewrite.js';
export { serialise, type Serialise } from './serialise.js';
export { split, type Split } from './split.js';
