/**
 * Latencies in buckets that are each a little wider than the one before, as in DDSketch (Masson, Rim and Lee 2019): a quantile is right to
 * `WIDTH`, whatever the latencies, and counts of any blocks can be added up.
 */
import type { ArmCell } from '@autoflow/topology';

/** A tenth more is six buckets, a quarter more fourteen: 24.9 %. */
const WIDTH = Math.log(1.1) / 6;

/** In SQL, of milliseconds: bucket n reaches to exp(n WIDTH) ms; what is faster than a millisecond is in the first one. */
export const bucketOf = (ms: string): string => `ceil(ln(greatest(${ms}, 1)) / ${WIDTH})::int2`;

/** How many records are in a bucket. */
export type Histogram = ReadonlyMap<number, number>;

/** Of each, the last bucket that is not slow. */
export type Limits = { readonly [slow in keyof SlowRecords]: number };
export type SlowRecords = Pick<ArmCell, 'slow95' | 'slow99' | 'slow50' | 'slow90'>;
export interface SlowLimits {
  readonly ours: Limits;
  readonly theirs: Limits;
}

/** Slow is what is beyond the bucket of their quantile; of ours, beyond that by a factor. */
export function slowLimits(theirs: Histogram, factors: { readonly p95: number; readonly p99: number }): SlowLimits {
  const [slow50, slow90, slow95, slow99] = [0.5, 0.9, 0.95, 0.99].map((share) => quantile(theirs, share)) as [
    number,
    number,
    number,
    number,
  ];
  const [by95, by99] = [bucketsIn(factors.p95), bucketsIn(factors.p99)];
  return {
    theirs: { slow50, slow90, slow95, slow99 },
    ours: { slow50: slow50 + by95, slow90: slow90 + by99, slow95: slow95 + by95, slow99: slow99 + by99 },
  };
}

export function slowRecords(limits: Limits, buckets: readonly number[], counts: readonly number[]): SlowRecords {
  const beyond = (limit: number): number => counts.reduce((sum, count, i) => (buckets[i]! > limit ? sum + count : sum), 0);
  const { slow50, slow90, slow95, slow99 } = limits;
  return { slow50: beyond(slow50), slow90: beyond(slow90), slow95: beyond(slow95), slow99: beyond(slow99) };
}

const bucketsIn = (factor: number): number => Math.round(Math.log(factor) / WIDTH);

/** The smallest bucket with at least that share of all at or below it; 0 of nothing. */
function quantile(histogram: Histogram, share: number): number {
  const ascending = [...histogram].sort(([a], [b]) => a - b);
  const wanted = share * ascending.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  return ascending.find(([, count]) => (seen += count) >= wanted)?.[0] ?? 0;
}
