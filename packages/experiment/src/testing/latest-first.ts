/** Latencies of so many records each, latest first: put in order once, asked often. */
export class LatestFirst {
  private constructor(
    private readonly ms: Float64Array,
    /** Records up to each. */
    private readonly upTo: Float64Array,
  ) {}

  static readonly NONE = new LatestFirst(new Float64Array(0), new Float64Array(0));

  static of(latencies: readonly (readonly [ms: number, records: number])[]): LatestFirst {
    const upTo = new Float64Array(latencies.length);
    let records = 0;
    latencies.forEach(([, more], i) => (upTo[i] = records += more));
    return new LatestFirst(
      Float64Array.from(latencies, ([ms]) => ms),
      upTo,
    );
  }

  get records(): number {
    return this.upTo.at(-1) ?? 0;
  }

  /** Records that are later than that. */
  beyond(ms: number): number {
    return this.upTo[first(this.ms, (one) => one <= ms) - 1] ?? 0;
  }

  /** The quantile that this share of the records is beyond; 0 of none. */
  quantile(share: number): number {
    const records = share * this.records;
    return this.ms[first(this.upTo, (one) => one > records)] ?? 0;
  }

  with(other: LatestFirst): LatestFirst {
    const length = this.ms.length + other.ms.length;
    const [ms, upTo] = [new Float64Array(length), new Float64Array(length)];
    for (let i = 0, ours = 0, theirs = 0; i < length; i++) {
      const isOurs = theirs === other.ms.length || this.ms[ours]! >= other.ms[theirs]!;
      ms[i] = isOurs ? this.ms[ours++]! : other.ms[theirs++]!;
      upTo[i] = (this.upTo[ours - 1] ?? 0) + (other.upTo[theirs - 1] ?? 0);
    }
    return new LatestFirst(ms, upTo);
  }
}

/** The index from which it holds, by halving; the length where it never does. */
function first(values: Float64Array, holds: (value: number) => boolean): number {
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(values[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
