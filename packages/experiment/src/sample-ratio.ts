import { evidenceAgainst } from './binomial.js';

/** How firmly the alternatives are expected near the share that was meant: as after so many records. */
const FIRMNESS = 1_000;

export interface SampleRatio {
  readonly expected: number;
  readonly observed: number;
  /** The records do not reach the arms as they were meant to: whatever is compared, it is not like with like. */
  readonly mismatch: boolean;
}

/**
 * Whether of `candidate + control` records the share that was assigned to the candidate is there, at every look at once; alarms without cause with
 * probability at most alpha. (Lindon and Malek, "Anytime-valid inference for multinomial count data", 2022.)
 */
export function sampleRatio(candidate: number, control: number, expected: number, alpha = 0.001): SampleRatio {
  const n = candidate + control;
  const evidence = evidenceAgainst(expected, candidate, n, FIRMNESS * expected, FIRMNESS * (1 - expected));
  return { expected, observed: n === 0 ? expected : candidate / n, mismatch: evidence >= -Math.log(alpha) };
}
