/** Shares of rare things, exactly: what holds for means only as samples grow does not hold for three dead letters. */

/**
 * ln of the evidence against "each of the n is one of the s with probability p": the likelihood under a Beta(a, b) mixture over that under p.
 * A martingale that starts at 1 while p is true, so it exceeds 1/alpha at any time with probability at most alpha (Ville). (Robbins 1970.)
 */
export function evidenceAgainst(p: number, s: number, n: number, a = 0.5, b = 0.5): number {
  return lnBeta(a + s, b + n - s) - lnBeta(a, b) - lnLikelihood(p, s, n);
}

const lnLikelihood = (p: number, s: number, n: number): number =>
  (s === 0 ? 0 : s * Math.log(p)) + (n === s ? 0 : (n - s) * Math.log1p(-p));

/**
 * Confidence sequence of a probability after s of n: all p against which the evidence is below 1/alpha. It holds whatever `b` is, and is shortest where
 * the mixture Beta(0.5, b) lies near the truth.
 */
export function shareInterval(s: number, n: number, alpha: number, b = 0.5): { readonly low: number; readonly high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const least = lnBeta(0.5 + s, b + n - s) - lnBeta(0.5, b) + Math.log(alpha);
  const refused = (p: number): boolean => lnLikelihood(p, s, n) <= least;
  const estimate = s / n;
  return { low: s === 0 ? 0 : edge(estimate, 0, refused), high: s === n ? 1 : edge(estimate, 1, refused) };
}

/** Bisects between what is accepted and what is refused. */
function edge(accepted: number, refusedAt: number, refused: (p: number) => boolean): number {
  let [inside, outside] = [accepted, refusedAt];
  for (let i = 0; i < 40; i++) {
    const middle = (inside + outside) / 2;
    if (refused(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}

const lnBeta = (a: number, b: number): number => lnGamma(a) + lnGamma(b) - lnGamma(a + b);

/** Stirling's series beyond 10, to about 1e-12; the recurrence below. */
function lnGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 10; z++) shift += Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
