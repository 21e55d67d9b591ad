import { scoreAt, type Episode } from '@autoflow/optimizer';
import { uniform } from '@autoflow/twin';
import { quantile } from '../statistics.js';

export interface Comparison {
  /** Of the mean score, against the other; below 0 is better. */
  readonly percent: number;
  /** 95 %, by bootstrap over the pairs: both met the same scenarios. */
  readonly interval: readonly [number, number];
  /** Share of the scenarios in which it is better. */
  readonly won: number;
}

const RESAMPLES = 5_000;

/** Own and other by scenario, in the same order. Deterministic. */
export function compared(own: readonly Episode[], other: readonly Episode[], k: number): Comparison {
  const scores = own.map((episode, i) => [scoreAt(k, episode), scoreAt(k, other[i]!)] as const);
  const random = uniform(17);
  const percentOf = (pairs: readonly (readonly [number, number])[]): number => {
    let [a, b] = [0, 0];
    for (const [mine, theirs] of pairs) [a, b] = [a + mine, b + theirs];
    return 100 * (a / b - 1);
  };
  const resampled = Array.from({ length: RESAMPLES }, () => percentOf(scores.map(() => scores[Math.floor(random() * scores.length)]!)));
  return {
    percent: percentOf(scores),
    interval: [quantile(resampled, 0.025), quantile(resampled, 0.975)],
    won: scores.filter(([mine, theirs]) => mine < theirs).length / scores.length,
  };
}
