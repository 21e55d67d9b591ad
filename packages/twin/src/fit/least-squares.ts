/** Σ parts · unknowns = of. */
export interface Equation {
  readonly parts: readonly number[];
  readonly of: number;
}

/**
 * The unknowns, none below 0, with the least sum of squared differences, by coordinate descent: for few of them. One that no equation has a part of
 * is 0. All equations have as many parts, and there is one at least.
 */
export function nonNegativeLeastSquares(equations: readonly Equation[]): number[] {
  const found = equations[0]!.parts.map(() => 0);
  for (let round = 0; round < 500; round++)
    for (const j of found.keys()) {
      let [along, across] = [0, 0];
      for (const { parts, of } of equations) {
        const others = parts.reduce((sum, part, i) => (i === j ? sum : sum + part * found[i]!), 0);
        along += parts[j]! * (of - others);
        across += parts[j]! ** 2;
      }
      found[j] = across > 0 ? Math.max(0, along / across) : 0;
    }
  return found;
}
