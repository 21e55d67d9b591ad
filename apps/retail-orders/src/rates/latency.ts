import { random } from '../data/random.js';

/** Lognormal: the logarithm is normal with mean ln(median) and the deviation that puts the 99th percentile where it is said to be. */
export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** The experiment's constant. */
export const RATES_LATENCY: Latency = { medianMs: 20, p99Ms: 80 };

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263478740408408;

/** Answers milliseconds, a new draw each time; the same seed gives the same series. */
export function latencies({ medianMs, p99Ms }: Latency, seed: number): () => number {
  const uniform = random(seed);
  const sigma = Math.log(p99Ms / medianMs) / Z99;
  return () => medianMs * Math.exp(sigma * normal(uniform));
}

/** Box and Muller, 1958. */
function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
