/** Statistics of rollouts. Pure: numbers in, verdicts out. */
export { evidenceAgainst, shareInterval } from './binomial.js';
export { sumOf, type Block } from './block.js';
export { boundary, type Interval } from './confidence-sequence.js';
export { difference, logRatio, type Pair, type Precision, type Total } from './contrast.js';
export { DRIFT, drift, type Drift, type DriftSettings, type FeatureDrift, type WorkloadBlock, type WorkloadPair } from './drift.js';
export type { Guardrail, GuardrailName } from './guardrails.js';
export { GATE, judge, unknownHarms, type GateSettings, type Judgement } from './judge.js';
export { comparisonOf, midnight, savedIn, savedTogether, stretches, stretchName, type Stretch, type StretchComparison } from './ledger.js';
export { detectableGain } from './power.js';
export { sampleRatio, type SampleRatio } from './sample-ratio.js';
export { restoredSavings, savings, type LedgerBlock, type LedgerCell, type Savings } from './savings.js';
