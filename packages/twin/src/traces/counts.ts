/** Counts per interval of something real, as a rate: what happened within an interval is not known, so there are three ways to say it. */
import type { Piece, RateProfile } from './profile.js';
import { exponential, lognormal, uniform } from './random.js';

/**
 * `step`: the count spread evenly over its interval. `linear`: straight from the middle of an interval to the middle of the next; keeps the
 * total up to the ends, not each count. `noise`: each interval in `parts` of random weight (exponential, so bursts and lulls), whose total
 * is the count.
 */
export type Interpolation = 'step' | 'linear' | 'noise';

export interface CountsOptions {
  readonly intervalMs: number;
  readonly interpolation: Interpolation;
  /** Of `noise` (default 1). */
  readonly seed?: number;
  /** Of an interval with `noise` (default 12: 5 s of a minute). */
  readonly parts?: number;
  /** Coefficient of variation of the weights of the parts; lognormal where it is given, else exponential. */
  readonly spread?: number;
}

export function profileOfCounts(counts: readonly number[], options: CountsOptions): RateProfile {
  const bad = counts.find((count) => !(count >= 0) || !Number.isFinite(count));
  if (counts.length === 0 || bad !== undefined) throw new RangeError(`Counts are numbers of at least 0; found ${bad ?? 'none'}.`);
  switch (options.interpolation) {
    case 'step':
      return counts.map((count) => flat(count, options.intervalMs));
    case 'linear':
      return linear(counts, options.intervalMs);
    case 'noise':
      return noise(counts, options);
  }
}

/** Half an interval at either end is level. */
function linear(counts: readonly number[], intervalMs: number): RateProfile {
  const rates = counts.map((count) => flat(count, intervalMs).from);
  const [first, last] = [rates[0]!, rates[rates.length - 1]!];
  const between = rates.slice(1).map((to, i): Piece => ({ durationMs: intervalMs, from: rates[i]!, to }));
  return [{ durationMs: intervalMs / 2, from: first, to: first }, ...between, { durationMs: intervalMs / 2, from: last, to: last }];
}

function noise(counts: readonly number[], { intervalMs, seed = 1, parts = 12, spread }: CountsOptions): RateProfile {
  const random = uniform(seed);
  const weight = (): number => (spread === undefined ? exponential(random) : lognormal(random, spread));
  return counts.flatMap((count) => {
    const weights = Array.from({ length: parts }, weight);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => flat((count * weight) / total, intervalMs / parts));
  });
}

function flat(count: number, durationMs: number): Piece {
  const perSecond = (count / durationMs) * 1000;
  return { durationMs, from: perSecond, to: perSecond };
}
