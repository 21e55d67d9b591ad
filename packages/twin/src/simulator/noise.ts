/**
 * Noise without a state: the same (seed, record, stage, round) gives the same number whatever happened before. So two plans, or two
 * policies, that are simulated with one seed meet the same luck (common random numbers).
 */

/** Murmur3's finaliser. */
function mix(a: number): number {
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (a ^ (a >>> 16)) >>> 0;
}

export function hash(seed: number, a: number, b: number): number {
  return mix(mix(seed ^ Math.imul(a, 0x9e3779b1)) ^ Math.imul(b + 1, 0x632be59b));
}

/** In (0, 1). */
export function uniform(hashed: number): number {
  return (hashed + 0.5) / 4294967296;
}

/** The next number of the stream that `hashed` stands for. */
export function next(hashed: number): number {
  return mix((hashed + 0x9e3779b9) | 0);
}

/** Standard normal, by Box and Muller. */
export function normal(hashed: number): number {
  return Math.sqrt(-2 * Math.log(uniform(hashed))) * Math.cos(2 * Math.PI * uniform(next(hashed)));
}

/** The scale of a lognormal with mean 1 and this coefficient of variation: exp(σz − σ²/2). */
export function lognormalSigma(cv: number): number {
  return Math.sqrt(Math.log1p(cv * cv));
}

/** `x` as a whole number whose mean is `x`. */
export function rounded(x: number, hashed: number): number {
  const whole = Math.floor(x);
  return x > whole && uniform(hashed) < x - whole ? whole + 1 : whole;
}
