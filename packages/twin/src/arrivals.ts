import { hash, next, uniform } from './simulator/noise.js';

/** When so many records arrive, in milliseconds: a Poisson stream of its own, so that the same records arrive whatever the plan. */
export function poissonArrivals(ratePerSecond: number, records: number, seed: number): Float64Array {
  const arrivals = new Float64Array(records);
  let luck = hash(seed, 0x5bd1e995, 0);
  let at = 0;
  for (let i = 0; i < records; i++) {
    luck = next(luck);
    at -= (Math.log(uniform(luck)) / ratePerSecond) * 1000;
    arrivals[i] = at;
  }
  return arrivals;
}

/** All are there from the start, as in a backfill: what then leaves is what the plan can do. */
export function backlog(records: number): Float64Array {
  return new Float64Array(records);
}
