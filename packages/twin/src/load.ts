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

/** What comes within so much, or a little more, comes at once. */
const AT_ONCE_MS = 100;
/** Of a long time cells are longer. */
const MOST_CELLS = 2_000;
/** A burst that is shorter is seen as one of this length: in it a batch gathers what comes. */
const SEEN_MS = 1_000;
/** The arrivals are drawn for so many times the time that they take on average: enough for those that come late. */
const SPARE = 2;

/** What arrivals (milliseconds, ascending) tell of their rate: see `bayesianBlocks`. Undefined: they may as well be those of a steady stream. */
export function shapeOf(arrivals: ArrayLike<number>): LoadShape | undefined {
  const [first, last] = [arrivals[0]!, arrivals[arrivals.length - 1]!];
  if (!(last > first)) return undefined;
  const cells = Math.max(1, Math.min(MOST_CELLS, Math.floor((last - first) / AT_ONCE_MS)));
  const cellMs = (last - first) / cells;
  const counts = new Array<number>(cells).fill(0);
  for (let i = 0; i < arrivals.length; i++) counts[Math.min(cells - 1, Math.floor((arrivals[i]! - first) / cellMs))]!++;
  const blocks = bayesianBlocks(counts);
  if (blocks.length < 2) return undefined;
  const mean = arrivals.length / cells;
  return blocks.map((block) => ({ durationMs: block.cells * cellMs, multiple: block.count / block.cells / mean }));
}

/** How long the shape is: behind it, it begins anew. */
export function periodMs(shape: LoadShape): number {
  return shape.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** The rate that there is when a record arrives, in the mean of all records (records per second): in bursts it is above the mean over time. */
export function rateSeen({ ratePerSecond, shape }: Load): number {
  if (shape === undefined) return ratePerSecond;
  const records = (of: LoadShape[number]): number => of.durationMs * of.multiple;
  const all = shape.reduce((sum, one) => sum + records(one), 0);
  return ratePerSecond * Math.max(1, shape.reduce((sum, one) => sum + records(one) * multipleSeen(one), 0) / all);
}

/** The highest rate that there is (records per second). */
export function ratePeak({ ratePerSecond, shape = [] }: Load): number {
  return shape.reduce((peak, one) => Math.max(peak, ratePerSecond * multipleSeen(one)), ratePerSecond);
}

const multipleSeen = ({ durationMs, multiple }: LoadShape[number]): number => multiple * Math.min(1, durationMs / SEEN_MS);

/**
 * The rate over so much time, its mean over that time exactly the load's, so that what varies more slowly is not in it; it begins with the stretch in
 * which a record chosen by `seed` arrived.
 */
export function profileOf({ ratePerSecond, shape }: Load, durationMs: number, seed: number): RateProfile {
  if (shape === undefined) return [{ durationMs, from: ratePerSecond, to: ratePerSecond }];
  const at = stretchOfOne(shape, uniform(seed + OF_STRETCH)());
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

/** Other chance than that of the arrivals. */
const OF_STRETCH = 104_729;

/** The stretch in which that share of all records has arrived. */
function stretchOfOne(shape: LoadShape, share: number): number {
  let left = share * shape.reduce((sum, { durationMs, multiple }) => sum + durationMs * multiple, 0);
  return Math.max(
    0,
    shape.findIndex(({ durationMs, multiple }) => (left -= durationMs * multiple) < 0),
  );
}
