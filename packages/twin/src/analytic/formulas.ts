/**
 * Mean wait in a queue of c servers at utilisation u, in service times, for a squared coefficient of variation of 1 of arrivals and services.
 * Exact for c = 1. Source: Sakasegawa (1977), An approximation formula L_q ≈ α·ρ^β / (1 − ρ).
 */
export function queueing(servers: number, utilisation: number): number {
  return utilisation > 0 ? utilisation ** (Math.sqrt(2 * (servers + 1)) - 1) / (servers * (1 - utilisation)) : 0;
}

/** E[min(a, X)] of a Poisson X with this mean, by the normal approximation. */
export function cappedPoisson(cap: number, mean: number): number {
  if (mean === 0) return 0;
  const deviation = Math.sqrt(mean);
  const z = (cap - mean) / deviation;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return Math.max(0, Math.min(cap, mean, cap - deviation * (z * normalBelow(z) + density)));
}

/** Φ(z) to three digits. Source: Bowling et al. (2009), logistic approximation. */
function normalBelow(z: number): number {
  return 1 / (1 + Math.exp(-(1.5976 * z + 0.07056 * z ** 3)));
}

/** The quantile whose standard normal is z, of a lognormal with this mean and variance. */
export function lognormalQuantile(mean: number, variance: number, z: number): number {
  if (mean <= 0) return 0;
  const s2 = Math.log1p(variance / mean ** 2);
  return mean * Math.exp(z * Math.sqrt(s2) - s2 / 2);
}

/** Variance of a wait that is 0 or else exponential, with this mean, and this chance that there is one. */
export function waitVariance(mean: number, chance: number): number {
  return mean > 0 ? mean ** 2 * (2 / Math.max(chance, 1e-3) - 1) : 0;
}
