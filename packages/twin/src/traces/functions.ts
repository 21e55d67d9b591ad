/** Real functions of a public cloud, by their invocations per minute of one day: which of them are fit for experiments, and the split. */

export interface FunctionCounts {
  /** Hash that stands for the function. */
  readonly id: string;
  /** Hash of the application: experiments split by it, never by row. */
  readonly app: string;
  readonly perMinute: readonly number[];
}

/** At least one invocation per minute on average, and something in 30 % of the minutes: the rest is too sparse to allocate for. */
export const SELECTION = { perMinute: 1, nonZeroShare: 0.3 } as const;

export function isUsable({ perMinute }: FunctionCounts): boolean {
  const total = perMinute.reduce((sum, count) => sum + count, 0);
  const nonZero = perMinute.filter((count) => count > 0).length;
  return total >= SELECTION.perMinute * perMinute.length && nonZero >= SELECTION.nonZeroShare * perMinute.length;
}

/** Minutes by position: what is learned from never overlaps with what is judged on. */
export const SPLITS = { train: [0, 960], test: [960, 1440], day: [0, 1440] } as const;
export type Split = keyof typeof SPLITS;

export function minutesOf({ perMinute }: FunctionCounts, split: Split): readonly number[] {
  return perMinute.slice(...SPLITS[split]);
}

/** Correlation of neighbouring minutes: how far the last minute tells the next. 0 where nothing varies. */
export function lag1Autocorrelation(perMinute: readonly number[]): number {
  const mean = perMinute.reduce((sum, count) => sum + count, 0) / perMinute.length;
  const variance = perMinute.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  if (variance === 0) return 0;
  return perMinute.slice(1).reduce((sum, count, i) => sum + (count - mean) * (perMinute[i]! - mean), 0) / variance;
}
