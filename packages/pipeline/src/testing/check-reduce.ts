import type { Fields } from '../json.js';
import type { Reduce } from '../reduce.js';
import { canonical } from './canonical.js';

export type ReduceReport =
  | { readonly holds: true; readonly tried: number }
  | { readonly holds: false; readonly law: Law; readonly left: Fields; readonly right: Fields; readonly message: string };

type Law = 'zero is neutral' | 'merge is commutative' | 'merge is associative' | 'add agrees with merge';

/**
 * Tries, on sums of the samples, the laws that let children be folded in any order and in parts; compares bit for bit. Reports the first
 * counterexample. That none was found proves nothing; fractions as samples usually find one where sums are floating-point.
 */
export function checkReduce<R>(
  reduce: Reduce<string, R, string, unknown>,
  samples: readonly R[],
  { tries = 1_000 }: { readonly tries?: number } = {},
): ReduceReport {
  const { name, zero = {}, add, merge } = reduce.definition;
  if (!add || !merge) throw new Error(`'${name}' is no reduce; give what defineReduce answered`);
  if (samples.length === 0) throw new Error(`there is nothing to try '${name}' on; give some children as samples`);
  const draw = random();
  const child = (): Fields => samples[Math.floor(draw() * samples.length)] as Fields;
  const plus = (sum: Fields, one: Fields): Fields => add(sum, one) as Fields;
  const both = (a: Fields, b: Fields): Fields => merge(a, b) as Fields;
  const someSum = (): Fields => Array.from({ length: 1 + Math.floor(draw() * 4) }, child).reduce(plus, zero);

  for (let tried = 0; tried < tries; tried++) {
    const [a, b, c, one] = [someSum(), someSum(), someSum(), child()];
    const sides: [Law, Fields, Fields][] = [
      ['zero is neutral', both(zero, a), a],
      ['zero is neutral', both(a, zero), a],
      ['merge is commutative', both(a, b), both(b, a)],
      ['merge is associative', both(both(a, b), c), both(a, both(b, c))],
      ['add agrees with merge', plus(a, one), both(a, plus(zero, one))],
    ];
    for (const [law, left, right] of sides)
      if (canonical(left) !== canonical(right))
        return {
          holds: false,
          law,
          left,
          right,
          message: `'${name}': it does not hold that ${law}: ${canonical(left)} is not ${canonical(right)}. Fold integers (money in its minor unit), minima, maxima or sets.`,
        };
  }
  return { holds: true, tried: tries };
}

/** Marsaglia's xorshift32, always from the same seed: a counterexample comes again. */
function random(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
