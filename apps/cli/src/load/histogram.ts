/**
 * Durations in constant memory, each within 1 % of its true value: buckets grow with the value, as in HdrHistogram (Tene). The extremes and
 * the mean are exact.
 */
export class Histogram {
  private readonly buckets = new Float64Array(BUCKETS);
  private sum = 0;
  private least = Infinity;
  private most = -Infinity;
  count = 0;

  record(ms: number): void {
    if (Number.isNaN(ms)) throw new RangeError('A duration is a number.');
    this.buckets[bucketOf(ms)]!++;
    this.count++;
    this.sum += ms;
    this.least = Math.min(this.least, ms);
    this.most = Math.max(this.most, ms);
  }

  /** The value below which a share `q` of all lies; undefined when there is none. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    const at = this.buckets.findIndex((n) => (seen += n) >= rank);
    return Math.min(this.most, Math.max(this.least, middleOf(at)));
  }

  summary(): Summary | undefined {
    if (this.count === 0) return undefined;
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => this.quantile(q)!) as [number, number, number];
    return { count: this.count, mean: this.sum / this.count, p50, p95, p99, max: this.most };
  }
}

/** In milliseconds. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** From 10 µs; half a bucket is 1 %. */
const LEAST_MS = 0.01;
const GROWTH = 1.02;
/** Up to 12 days. */
const BUCKETS = Math.ceil(Math.log(1e9 / LEAST_MS) / Math.log(GROWTH)) + 2;

function bucketOf(ms: number): number {
  if (ms <= LEAST_MS) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(ms / LEAST_MS) / Math.log(GROWTH)));
}
const middleOf = (bucket: number): number => (bucket === 0 ? 0 : LEAST_MS * GROWTH ** (bucket - 0.5));
