/** Two arms that ran side by side, compared over blocks of time. */
import { around, boundary, type Interval } from './confidence-sequence.js';

/** What one arm summed up in one block of time: `sum` over `count` records. */
export interface Total {
  readonly sum: number;
  readonly count: number;
}
export interface Pair {
  readonly candidate: Total;
  readonly control: Total;
}
export interface Precision {
  readonly alpha: number;
  /** Blocks near which the interval is to be tightest; default 60. */
  readonly tightAt?: number;
}

/**
 * Confidence sequence of ln(mean of the candidate / mean of the control); undefined while one of them has nothing. Means are ratios of sums,
 * so their error comes by the delta method from what each block adds to them. Both arms of a block count as one observation: records that
 * share a batch wait together, and what slows the machine down slows both arms.
 */
export function logRatio(pairs: readonly Pair[], precision: Precision): Interval | undefined {
  const [ours, theirs] = totals(pairs);
  if (ours.sum <= 0 || theirs.sum <= 0) return undefined;
  const estimate = Math.log(mean(ours) / mean(theirs));
  return sequence(
    estimate,
    pairs,
    pairs.map(({ candidate, control }) => residual(candidate, ours) / ours.sum - residual(control, theirs) / theirs.sum),
    precision,
  );
}

/** Confidence sequence of mean of the candidate - mean of the control; undefined while one of them has no record. */
export function difference(pairs: readonly Pair[], precision: Precision): Interval | undefined {
  const [ours, theirs] = totals(pairs);
  if (ours.count <= 0 || theirs.count <= 0) return undefined;
  return sequence(
    mean(ours) - mean(theirs),
    pairs,
    pairs.map(({ candidate, control }) => residual(candidate, ours) / ours.count - residual(control, theirs) / theirs.count),
    precision,
  );
}

/**
 * Variance of the sum of what the blocks add. Blocks that follow each other are not independent (a queue that is long stays long), so
 * covariances at short lags are added with Bartlett's weights (Newey and West 1987); those that would make it smaller are not believed.
 */
export function longRunVariance(influences: readonly number[]): number {
  const t = influences.length;
  if (t < 2) return Infinity;
  const at = (lag: number): number => {
    let sum = 0;
    for (let i = lag; i < t; i++) sum += influences[i]! * influences[i - lag]!;
    return sum;
  };
  const own = at(0);
  const lags = Math.min(t - 1, Math.floor(Math.cbrt(t)));
  let sum = own;
  for (let lag = 1; lag <= lags; lag++) sum += 2 * (1 - lag / (lags + 1)) * at(lag);
  return (Math.max(own, sum) * t) / (t - 1);
}

function sequence(estimate: number, pairs: readonly Pair[], influences: readonly number[], { alpha, tightAt = 60 }: Precision): Interval {
  // Of an arm that had everything in one block nothing is left over: it would seem to be known exactly.
  if (blocksOfEach(pairs) < 2) return around(estimate, Infinity);
  const halfWidth = boundary(influences.length, alpha, tightAt) * Math.sqrt(longRunVariance(influences));
  return around(estimate, Number.isNaN(halfWidth) ? Infinity : halfWidth);
}

/** In how many blocks the arm that has fewer had anything. */
export function blocksOfEach(pairs: readonly Pair[]): number {
  const of = (arm: keyof Pair): number => pairs.filter((pair) => pair[arm].count > 0).length;
  return Math.min(of('candidate'), of('control'));
}

function totals(pairs: readonly Pair[]): readonly [Total, Total] {
  return [total(pairs.map(({ candidate }) => candidate)), total(pairs.map(({ control }) => control))];
}

export function total(parts: readonly Total[]): Total {
  let [sum, count] = [0, 0];
  for (const part of parts) {
    sum += part.sum;
    count += part.count;
  }
  return { sum, count };
}

export const mean = ({ sum, count }: Total): number => sum / count;
export const residual = (part: Total, whole: Total): number => part.sum - mean(whole) * part.count;
