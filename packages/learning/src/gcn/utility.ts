import type { Objective } from '@autoflow/optimizer';
import type { Calibration } from './calibration.js';

/** As the search judges: see `scoreOf` of the optimizer. */
const CARRIES = 0.97 * 0.95;
const BROKEN = 1;

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
): number {
  const [cost, p95, throughput] = [heads[0]!, heads[1]!, heads[2]!];
  const late =
    broken(objective.p95Ms === undefined ? undefined : p95 - Math.log(objective.p95Ms), spread.p95, 2) +
    broken(objective.p99Ms === undefined ? undefined : p95 + Math.log(tail / objective.p99Ms), spread.p95, 2);
  const behind = broken(Math.log(CARRIES * ratePerSecond) - throughput, spread.throughput, 4);
  return -((objective.minimise === 'cost' ? cost : p95) + late + behind);
}

/** E[(BROKEN + slope · x)·1(x > 0)] of a normal x. */
function broken(mean: number | undefined, deviation: number, slope: number): number {
  if (mean === undefined) return 0;
  const z = mean / deviation;
  const above = below(z);
  return BROKEN * above + slope * (mean * above + (deviation * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
}

/** Φ(z), logistic approximation (Bowling et al., 2009). */
const below = (z: number): number => 1 / (1 + Math.exp(-(1.5976 * z + 0.07056 * z ** 3)));
