/**
 * Latencies in buckets that are each a little wider than the one before, as in DDSketch (Masson, Rim and Lee 2019): a quantile is right to
 * `WIDTH`, whatever the latencies, and counts of any blocks can be added up.
 */
import { perSlow, SLOW, type SlowRecords } from '@autoflow/topology';

/** A tenth more is six buckets, a quarter more fourteen: 24.9 %. */
const WIDTH = Math.log(1.1) / 6;

/** In SQL, of milliseconds: bucket n reaches to exp(n WIDTH) ms; what is faster than a millisecond is in the first one. */
export const bucketOf = (ms: string): string => `ceil(ln(greatest(${ms}, 1)) / ${WIDTH})::int2`;

/** How many records are in a bucket. */
export type Histogram = ReadonlyMap<number, number>;

/** Of each, the last bucket that is not slow. */
export type Limits = SlowRecords;
export interface SlowLimits {
  readonly ours: Limits;
  readonly theirs: Limits;
}

/** Slow is what is beyond the bucket of their quantile; of ours, beyond that by a factor. */
export function slowLimits(theirs: Histogram, factors: { readonly p95: number; readonly p99: number }): SlowLimits {
  const buckets = perSlow((slow) => quantile(theirs, SLOW[slow].quantile));
  const more = { p95: bucketsIn(factors.p95), p99: bucketsIn(factors.p99) };
  return { theirs: buckets, ours: perSlow((slow) => buckets[slow] + more[SLOW[slow].guardrail]) };
}

export function slowRecords(limits: Limits, buckets: readonly number[], counts: readonly number[]): SlowRecords {
  const beyond = (limit: number): number => counts.reduce((sum, count, i) => (buckets[i]! > limit ? sum + count : sum), 0);
  return perSlow((slow) => beyond(limits[slow]));
}

const bucketsIn = (factor: number): number => Math.round(Math.log(factor) / WIDTH);

/** The smallest bucket with at least that share of all at or below it; 0 of nothing. */
function quantile(histogram: Histogram, share: number): number {
  const ascending = [...histogram].sort(([a], [b]) => a - b);
  const wanted = share * ascending.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  return ascending.find(([, count]) => (seen += count) >= wanted)?.[0] ?? 0;
}
