/** Uniform in [0, 1), the same series for the same seed on every machine (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Exponential with mean 1, by inversion; never infinite, because `1 - u` is never 0. */
export const exponential = (random: () => number): number => -Math.log(1 - random());

/** Lognormal with mean 1 and this coefficient of variation, by Box and Muller. */
export function lognormal(random: () => number, cv: number): number {
  const sigma = Math.sqrt(Math.log1p(cv * cv));
  const normal = Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
  return Math.exp(sigma * normal - (sigma * sigma) / 2);
}

/** Uniform in its logarithm. */
export const logUniform = (random: () => number, { least, most }: { readonly least: number; readonly most: number }): number =>
  least * (most / least) ** random();
