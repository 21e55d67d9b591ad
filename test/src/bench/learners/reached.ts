/** When a training was how good. */

/** Parameters at one moment of a training, judged afterwards. Less score is better. */
export interface Judged {
  /** Since the training was started. */
  readonly seconds: number;
  /** Decisions of all learners behind it. */
  readonly steps: number;
  readonly score: number;
}

/** Of every moment the best until then: what the training would have given if it had ended there. The moments in their order. */
export function bestSoFar(curve: readonly Judged[]): Judged[] {
  let best = Number.POSITIVE_INFINITY;
  return curve.map((moment) => ({ ...moment, score: (best = Math.min(best, moment.score)) }));
}

/** The first moment at which the best so far was no worse than this. Undefined: it never was. */
export function reached(curve: readonly Judged[], score: number): Judged | undefined {
  return curve.find((moment) => moment.score <= score);
}

export interface SpeedUp {
  /** Wall time to the other's score ÷ what the other took for it; infinite: it was never reached. */
  readonly time: number;
  /** Decisions that it took ÷ those of the other: what asynchrony costs. */
  readonly steps: number;
  /** Decisions per second until then ÷ those of the other: what learners side by side bring. `time` is `steps` ÷ `rate`. */
  readonly rate: number;
}

/** How much sooner a training was where the other got to in the end, give or take `tolerance` of its score. */
export function speedUp(own: readonly Judged[], other: readonly Judged[], tolerance: number): SpeedUp {
  const score = (1 + tolerance) * Math.min(...other.map((moment) => moment.score));
  const [mine, theirs] = [reached(own, score), reached(other, score)!];
  if (mine === undefined) return { time: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY, rate: Number.NaN };
  const time = mine.seconds / theirs.seconds;
  const steps = mine.steps / theirs.steps;
  return { time, steps, rate: steps / time };
}
