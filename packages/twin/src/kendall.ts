/**
 * Kendall's τ-b of two lists of the same length: 1 when they rank alike, −1 when opposite; ties count for neither. NaN when one has no order.
 */
export function kendallTau(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let agreeing = 0;
  let [tiedA, tiedB, pairs] = [0, 0, 0];
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < i; j++) {
      const da = Math.sign(a[i]! - a[j]!);
      const db = Math.sign(b[i]! - b[j]!);
      pairs++;
      agreeing += da * db;
      if (da === 0) tiedA++;
      if (db === 0) tiedB++;
    }
  return agreeing / Math.sqrt((pairs - tiedA) * (pairs - tiedB));
}
