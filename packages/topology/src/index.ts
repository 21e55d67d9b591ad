/**
 * Topologies as data: identity, legality, plans, differences. Pure, but for SHA-256 from `node:crypto` in `hash.ts`: code of the workflow
 * sandbox imports values only from `@autoflow/topology/execution` (types from anywhere).
 */
export { clampAllocation, defaultAllocation, parseAllocation, validateAllocation } from './allocation.js';
export { asWritten } from './as-written.js';
export { canonicalJson, NotJsonError } from './canonical-json.js';
export { clampedEnvelope, clampProblems, outsideClamp, type Clamps, type StageClamp } from './clamps.js';
export { diffToMermaid } from './diff-mermaid.js';
export { diffTopologies, type Change } from './diff.js';
export { defaultEnvelope, parseEnvelope, validateEnvelope } from './envelope.js';
export * from './execution.js';
export * from './replay.js';
export * from './retraining.js';
export * from './comparison.js';
export * from './rollout.js';
export * from './training.js';
export * from './control.js';
export * from './optimization.js';
export { LOAD_WINDOW_MS, OpenBound, type BoundSettings, type ClosedLoad } from './open-bound.js';
export { PROBE_SHARE, probeRecords } from './probes.js';
export { grantOf, shareOf, type Deal, type DividedLimit } from './fleet-shares.js';
export { canonicalTopology, hashModule, hashPipeline, hashRelease, hashTopology, hashVersion, sha256 } from './hash.js';
export { jsonPointer } from './json-pointer.js';
export { toMermaid } from './mermaid.js';
export { parseTopology, TOPOLOGY_BOUNDS, type ParsedTopology } from './parse-topology.js';
export { limitedResources, type LimitedResource } from './resource-limits.js';
export { samplePosition } from './sample.js';
export { stageName } from './stage-name.js';
export { stagePlans } from './stage-plans.js';
export * from './topology.js';
export { validateTopology } from './legality.js';
