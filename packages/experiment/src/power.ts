import { boundary } from './confidence-sequence.js';
import { longRunVariance, total, residual, type Pair } from './contrast.js';

/** Of the standard normal distribution at 0.8. */
const POWER_Z = 0.8416;

/** Standard deviation of what one block adds to the log ratio. */
export function blockDeviation(pairs: readonly Pair[]): number | undefined {
  const ours = total(pairs.map(({ candidate }) => candidate));
  const theirs = total(pairs.map(({ control }) => control));
  if (pairs.length < 2 || ours.sum <= 0 || theirs.sum <= 0) return undefined;
  const influences = pairs.map(({ candidate, control }) => residual(candidate, ours) / ours.sum - residual(control, theirs) / theirs.sum);
  return Math.sqrt(longRunVariance(influences) * pairs.length);
}

/**
 * The smallest gain (1 - ratio) whose lower bound is above 0 after `blocks` blocks with probability 0.8, if they vary as those given do; default:
 * as many as were given. By the normal approximation.
 */
export function detectableGain(pairs: readonly Pair[], alpha: number, blocks = pairs.length, tightAt = 60): number | undefined {
  const deviation = blockDeviation(pairs);
  return deviation === undefined ? undefined : -Math.expm1((-(boundary(blocks, alpha, tightAt) + POWER_Z) * deviation) / Math.sqrt(blocks));
}
