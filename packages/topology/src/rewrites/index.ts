/**
 * Legal changes of a topology, and the proof that a series of them is legal. Not for the workflow sandbox (it hashes).
 *
 * Legal means: every record gets the same outcome, and a sink the same rows of it, at any batch size. What is not here, and why:
 * - **memoise, eliminate duplicate calls**: whether one answer of a read may serve another call with equal reads is in its definition (`memo`),
 *   and then every instance does so, in one call of the handler and between calls: nothing is left for a topology to choose;
 * - **drop dead functions**: not legal. A function that nobody reads can still fail its record, so dropping it turns dead records into
 *   completed ones. Nothing declares today that a function cannot fail; until something does, it is for the author to remove it.
 */
export { certify, CertifyError } from '../certificate/certify.js';
export { checkCertificate } from '../certificate/check/check-certificate.js';
export type { Certificate, CertifiedStep } from '../certificate/certificate.js';
export { applyStep, conditionsOf, inverseOf, legalSteps, rewrites, type Step } from './all.js';
export { batchSize, type BatchSize } from './batch-size.js';
export { dropAllDead, dropDeadFields, type DropDeadFields } from './drop-dead-fields.js';
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
