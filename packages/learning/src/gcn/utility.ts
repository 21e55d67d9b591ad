import { SCORE, type Objective } from '@autoflow/optimizer';
import type { Calibration } from './calibration.js';

/** U of a plan, and the variance of what the search will give it. */
export interface Utility {
  readonly mean: number;
  readonly variance: number;
}

/**
 * U of a plan whose heads are (log cost, log p95, log throughput): minus the score that the search is expected to give it, when the truth is
 * normal around the heads. Without that spread a plan a hair above its limit would be worth as little as one far beyond.
 */
export function utility(
  objective: Objective,
  ratePerSecond: number,
  tail: number,
  heads: ArrayLike<number>,
  spread: Calibration['spread'],
): Utility {
  const [cost, p95, throughput] = [heads[0]!, heads[1]!, heads[2]!];
  const least = objective.minimise === 'cost' ? { mean: cost, variance: spread.cost ** 2 } : { mean: p95, variance: spread.p95 ** 2 };
  const terms = [
    least,
    broken(objective.p95Ms === undefined ? undefined : p95 - Math.log(objective.p95Ms), spread.p95, SCORE.late),
    broken(objective.p99Ms === undefined ? undefined : p95 + Math.log(tail / objective.p99Ms), spread.p95, SCORE.late),
    broken(Math.log(SCORE.carries * SCORE.sample * ratePerSecond) - throughput, spread.throughput, SCORE.behind),
  ];
  return {
    mean: -terms.reduce((sum, { mean }) => sum + mean, 0),
    variance: terms.reduce((sum, { variance }) => sum + variance, 0),
  };
}

/** By how many standard deviations the first is better: what two cheap plans differ by is surer than what one near its limit is worth. */
export function leadOf(one: Utility, other: Utility): number {
  return (one.mean - other.mean) / Math.sqrt(one.variance + other.variance);
}

const NOTHING: Utility = { mean: 0, variance: 0 };

/** Of (broken + slope · x)·1(x > 0), x normal: see `scoreOf`. */
function broken(mean: number | undefined, deviation: number, slope: number): Utility {
  if (mean === undefined) return NOTHING;
  const z = mean / deviation;
  const above = below(z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  const first = mean * above + deviation * density;
  const second = (mean ** 2 + deviation ** 2) * above + mean * deviation * density;
  const expected = SCORE.broken * above + slope * first;
  return {
    mean: expected,
    variance: Math.max(0, SCORE.broken ** 2 * above + 2 * SCORE.broken * slope * first + slope ** 2 * second - expected ** 2),
  };
}

/** Φ(z), logistic approximation (Bowling et al., 2009). */
const below = (z: number): number => 1 / (1 + Math.exp(-(1.5976 * z + 0.07056 * z ** 3)));
