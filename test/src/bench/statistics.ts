/** Order statistics of a sample; `q` between 0 and 1, linear between neighbours (type 7 of Hyndman & Fan, 1996). */
export function quantile(sample: readonly number[], q: number): number {
  if (sample.length === 0) throw new RangeError('a quantile of no values');
  const sorted = [...sample].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

export const median = (sample: readonly number[]): number => quantile(sample, 0.5);
export const mean = (sample: readonly number[]): number => sample.reduce((a, b) => a + b, 0) / sample.length;
