import { exponential, uniform } from './traces/random.js';

/**
 * When so many records arrive, in milliseconds: a Poisson stream of its own, so that the same records arrive whatever the plan.
 * For a load with a shape: `Float64Array.from(trace.arrivals(seed))`.
 */
export function poissonArrivals(ratePerSecond: number, records: number, seed: number): Float64Array {
  const random = uniform(seed);
  let at = 0;
  return Float64Array.from({ length: records }, () => (at += (exponential(random) / ratePerSecond) * 1000));
}

/** All are there from the start, as in a backfill: what then leaves is what the plan can do. */
export function backlog(records: number): Float64Array {
  return new Float64Array(records);
}
