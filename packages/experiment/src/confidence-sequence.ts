/** Intervals that hold at every look at once: whoever looks after each record errs no more often than whoever looks once. */

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Half the width, in standard errors, of an asymptotic confidence sequence after `t` observations: the true mean lies within it at all t at
 * once with probability 1 - alpha, for any distribution with a variance, as t grows. Tightest near `tightAt`. (Waudby-Smith, Arbour, Sinha,
 * Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 2024, theorem 2.2 and
 * the choice of rho in appendix B.2.)
 */
export function boundary(t: number, alpha: number, tightAt: number): number {
  if (t <= 0) return Infinity;
  const rho2 = (-2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha) + 1)) / tightAt;
  return Math.sqrt(((2 * (t * rho2 + 1)) / (t * rho2)) * Math.log(Math.sqrt(t * rho2 + 1) / alpha));
}

export function around(estimate: number, halfWidth: number): Interval {
  return { estimate, low: estimate - halfWidth, high: estimate + halfWidth };
}
