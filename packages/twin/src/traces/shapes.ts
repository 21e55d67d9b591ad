/** The shapes of textbooks. Rates in arrivals per second. */
import { positive, type Piece, type RateProfile } from './profile.js';

export function constant(perSecond: number, durationMs: number): RateProfile {
  checkRate(perSecond);
  positive(durationMs, 'duration');
  return [{ durationMs, from: perSecond, to: perSecond }];
}

/** One rate after another, each for its time. */
export function steps(of: readonly { readonly perSecond: number; readonly durationMs: number }[]): RateProfile {
  return of.flatMap(({ perSecond, durationMs }) => constant(perSecond, durationMs));
}

const CHORDS_PER_PERIOD = 64;

/** mean · (1 + amplitude · sin(2π t / period)), as chords of equal area to within 0.1 %; it begins at the mean and rises. */
export function sine({ mean, amplitude, periodMs, durationMs }: SineOptions): RateProfile {
  checkRate(mean);
  positive(periodMs, 'period');
  positive(durationMs, 'duration');
  if (!(amplitude >= 0 && amplitude <= 1))
    throw new RangeError(`The amplitude is a share of the mean between 0 and 1, found ${amplitude}.`);
  const rate = (ms: number): number => Math.max(0, mean * (1 + amplitude * Math.sin((2 * Math.PI * ms) / periodMs)));
  const pieces: Piece[] = [];
  const chord = periodMs / CHORDS_PER_PERIOD;
  for (let i = 0; i * chord < durationMs; i++) {
    const [start, end] = [i * chord, Math.min((i + 1) * chord, durationMs)];
    if (end > start) pieces.push({ durationMs: end - start, from: rate(start), to: rate(end) });
  }
  return pieces;
}
export interface SineOptions {
  readonly mean: number;
  /** Share of the mean: 1 goes down to nothing. */
  readonly amplitude: number;
  readonly periodMs: number;
  readonly durationMs: number;
}

/** A base rate, and every `everyMs` a burst of `factor` times as much, in the middle of the interval. */
export function bursts({ base, factor, everyMs, burstMs, durationMs }: BurstOptions): RateProfile {
  checkRate(base);
  positive(factor, 'factor');
  positive(durationMs, 'duration');
  if (!(burstMs > 0 && burstMs < everyMs)) throw new RangeError(`A burst of ${burstMs} ms does not fit into every ${everyMs} ms.`);
  const pieces: Piece[] = [];
  const quiet = (everyMs - burstMs) / 2;
  let left = durationMs;
  const add = (perSecond: number, ms: number): void => {
    const part = Math.min(ms, left);
    if (part > 0) pieces.push({ durationMs: part, from: perSecond, to: perSecond });
    left -= part;
  };
  while (left > 0) {
    add(base, quiet);
    add(base * factor, burstMs);
    add(base, quiet);
  }
  return pieces;
}
export interface BurstOptions {
  readonly base: number;
  readonly factor: number;
  readonly everyMs: number;
  readonly burstMs: number;
  readonly durationMs: number;
}

function checkRate(perSecond: number): void {
  if (!(perSecond >= 0) || !Number.isFinite(perSecond))
    throw new RangeError(`A rate is a finite number of at least 0, found ${perSecond}.`);
}
