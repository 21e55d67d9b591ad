import { poissonArrivals } from './arrivals.js';
import { bayesianBlocks } from './traces/bayesian-blocks.js';
import { lasting, withMeanRate, type RateProfile } from './traces/profile.js';
import { uniform } from './traces/random.js';
import { rateTrace } from './traces/trace.js';

/** How many records come, and how they come. Plain JSON. */
export interface Load {
  /** On average. */
  readonly ratePerSecond: number;
  /** Default: a steady Poisson stream. */
  readonly shape?: LoadShape;
}

/** How the rate varies: stretches of time, each with the rate in it as a multiple of the mean over all. Behind the last it goes on with the first. */
export type LoadShape = readonly { readonly durationMs: number; readonly multiple: number }[];

/** The arrivals are drawn for so many times the time that they take on average: enough for those that come late. */
const SPARE = 2;

/** What arrivals (milliseconds, ascending) tell of their rate: see `bayesianBlocks`. Undefined: they may as well be those of a steady stream. */
export function shapeOf(arrivals: ArrayLike<number>): LoadShape | undefined {
  const blocks = bayesianBlocks(arrivals);
  if (blocks.length < 2) return undefined;
  const sum = (of: 'count' | 'durationMs'): number => blocks.reduce((total, block) => total + block[of], 0);
  const mean = sum('count') / sum('durationMs');
  return blocks.map(({ durationMs, count }) => ({ durationMs, multiple: count / durationMs / mean }));
}

/** The rate that there is when a record arrives, in the mean of all records (records per second): in bursts it is above the mean over time. */
export function rateSeen({ ratePerSecond, shape }: Load): number {
  if (shape === undefined) return ratePerSecond;
  const sum = (power: number): number => shape.reduce((total, { durationMs, multiple }) => total + durationMs * multiple ** power, 0);
  return (ratePerSecond * sum(2)) / sum(1);
}

/** The highest rate that there is, for however short a time (records per second). */
export function ratePeak({ ratePerSecond, shape = [] }: Load): number {
  return shape.reduce((peak, { multiple }) => Math.max(peak, ratePerSecond * multiple), ratePerSecond);
}

/** The rate over so much time, its mean over that time exactly the load's; it begins with the stretch in which a record chosen by `seed` arrived. */
export function profileOf({ ratePerSecond, shape }: Load, durationMs: number, seed: number): RateProfile {
  if (shape === undefined) return [{ durationMs, from: ratePerSecond, to: ratePerSecond }];
  const at = stretchOfOne(shape, uniform(seed)());
  const begun = [...shape.slice(at), ...shape.slice(0, at)].map((one) => ({
    durationMs: one.durationMs,
    from: one.multiple,
    to: one.multiple,
  }));
  return withMeanRate(lasting(begun, durationMs), ratePerSecond);
}

/** When so many records of the load arrive, in milliseconds, independently of each other but for the shape. */
export function arrivalsOf(load: Load, records: number, seed: number): Float64Array {
  if (load.shape === undefined) return poissonArrivals(load.ratePerSecond, records, seed);
  const durationMs = (records / load.ratePerSecond) * 1000;
  const profile = lasting(profileOf(load, durationMs, seed), SPARE * durationMs);
  const arrivals = new Float64Array(records);
  let n = 0;
  for (const at of rateTrace('', profile, 'poisson').arrivals(seed)) {
    arrivals[n++] = at;
    if (n === records) return arrivals;
  }
  // Chance brought fewer than half of what was to be expected: a handful of records.
  return poissonArrivals(load.ratePerSecond, records, seed);
}

/** The stretch in which that share of all records has arrived. */
function stretchOfOne(shape: LoadShape, share: number): number {
  let left = share * shape.reduce((sum, { durationMs, multiple }) => sum + durationMs * multiple, 0);
  return Math.max(
    0,
    shape.findIndex(({ durationMs, multiple }) => (left -= durationMs * multiple) < 0),
  );
}
