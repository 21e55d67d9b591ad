import { durationOf, expectedArrivals, momentsOf, type RateProfile } from './profile.js';
import { exponential, uniform } from './random.js';

/** When load arrives: open loop, known before anything is sent, and the same for the same seed. */
export interface Trace {
  readonly name: string;
  readonly durationMs: number;
  /** Arrivals to be expected over the whole duration. */
  readonly expected: number;
  /** Milliseconds from the start, ascending, within the duration. Lazy: a long trace takes no memory. */
  arrivals(seed: number): Iterable<number>;
}

/** `even`: as regular as the rate allows. `poisson`: independent arrivals, as many users who do not know of each other make them. */
export type Spacing = 'even' | 'poisson';

export function rateTrace(name: string, profile: RateProfile, spacing: Spacing): Trace {
  return {
    name,
    durationMs: durationOf(profile),
    expected: expectedArrivals(profile),
    arrivals: (seed) => ({ [Symbol.iterator]: () => momentsOf(profile, spacing === 'even' ? evenMarks() : poissonMarks(seed)) }),
  };
}

/** In the middle of each unit: a rate of 1 for n seconds gives n arrivals, not n ± 1. */
function* evenMarks(): Generator<number> {
  for (let mark = 0.5; ; mark++) yield mark;
}

function* poissonMarks(seed: number): Generator<number> {
  const random = uniform(seed);
  for (let mark = exponential(random); ; mark += exponential(random)) yield mark;
}
