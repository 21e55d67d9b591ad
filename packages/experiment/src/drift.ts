/** Whether the workload is still the one that a decision was made for. */
import { around, type Interval } from './confidence-sequence.js';
import { blocksOfEach, longRunVariance, mean, residual, total, type Pair, type Total } from './contrast.js';

/** One block of time: per feature what was summed up over how many. The rate is {sum: records, count: 1}. */
export interface WorkloadBlock {
  readonly [feature: string]: Total;
}
/** Blocks of the same time of the day: a workload that has days and nights has them on either side. */
export interface WorkloadPair {
  readonly then: WorkloadBlock;
  readonly now: WorkloadBlock;
}
export interface DriftSettings {
  /** Of all features and all looks together. */
  readonly alpha: number;
  /** How often one looks, in the time that alpha is of. */
  readonly looks: number;
  /** Relative change of a feature that a decision outlives; default 0.25. */
  readonly band: number;
  /** Of single features, where they differ: a rate is not the same every day. */
  readonly bands?: { readonly [feature: string]: number };
  /** With something on either side, before anything is said. */
  readonly minimumBlocks: number;
}
export interface FeatureDrift {
  readonly feature: string;
  /** By now over what it was. */
  readonly ratio: Interval;
  readonly drifted: boolean;
  /** With this pair it began to be as it is: 0 where it was so in all of them. */
  readonly since: number;
}
export interface Drift {
  readonly drifted: boolean;
  /** The pair with which all that has drifted was as it is; absent: nothing has. */
  readonly since?: number;
  readonly features: readonly FeatureDrift[];
  /** Sentences, one per feature that has drifted. */
  readonly reasons: readonly string[];
}

/** `looks`: a month, every ten minutes. */
export const DRIFT: DriftSettings = { alpha: 0.01, looks: 30 * 144, band: 0.25, bands: { rate: 1 }, minimumBlocks: 12 };

/**
 * A feature has drifted when the confidence interval of ln(its mean by now / its mean then) lies outside the band on one side: not merely changed,
 * which a long enough sample always shows, but changed by more than the decision tolerates. Of `looks` looks, at whatever pairs each, a workload that
 * stays within the band is called drifted in one or more with probability at most alpha, as the pairs of a look grow: each look may err with alpha /
 * looks, which holds however much one sees of what the one before saw. Features that only one side has are passed over.
 */
export function drift(pairs: readonly WorkloadPair[], settings: DriftSettings = DRIFT): Drift {
  const known = new Set<string>();
  for (const { then } of pairs) for (const name in then) known.add(name);
  const names = [...known].sort();
  const features = names.flatMap((feature) => featureDrift(feature, pairs, settings, settings.alpha / names.length) ?? []);
  const gone = features.filter(({ drifted }) => drifted);
  const since = gone.length > 0 && { since: Math.max(...gone.map((one) => one.since)) };
  return { drifted: gone.length > 0, ...since, features, reasons: gone.map(sentence) };
}

const NOTHING: Total = { sum: 0, count: 0 };

/** As `logRatio` of two arms: what a block adds is held against the block of its time of the day, so that days and nights are no noise. */
function featureDrift(
  feature: string,
  blocks: readonly WorkloadPair[],
  { band, bands, looks, minimumBlocks }: DriftSettings,
  alpha: number,
): FeatureDrift | undefined {
  const pairs = blocks.map(({ then, now }): Pair => ({ control: then[feature] ?? NOTHING, candidate: now[feature] ?? NOTHING }));
  const [was, is] = [total(pairs.map(({ control }) => control)), total(pairs.map(({ candidate }) => candidate))];
  const known = blocksOfEach(pairs);
  if (known < minimumBlocks || was.sum <= 0 || is.sum <= 0) return undefined;
  const ratio = mean(is) / mean(was);
  const variance = longRunVariance(
    pairs.map(({ control, candidate }) => residual(candidate, is) / is.sum - residual(control, was) / was.sum),
  );
  const log = around(Math.log(ratio), deviations(alpha / looks, known - 1) * Math.sqrt(variance));
  const tolerated = Math.log1p(bands?.[feature] ?? band);
  return {
    feature,
    ratio: { estimate: ratio, low: Math.exp(log.low), high: Math.exp(log.high) },
    drifted: log.low > tolerated || log.high < -tolerated,
    since: beganAt(pairs, ratio),
  };
}

/**
 * So many standard errors, estimated with n degrees of freedom, are exceeded on either side with probability at most alpha: Chernoff's bound for the
 * normal distribution, exp(-z²/2), and Student's t of the same probability (Gaver and Kafadar, "A retrievable recipe for inverse t", 1984).
 */
function deviations(alpha: number, n: number): number {
  const z2 = -2 * Math.log(alpha);
  return Math.sqrt(n * Math.expm1((z2 * (n - 1.5)) / (n - 1) ** 2));
}

/** Behind the least sum of deviations from halfway between what was and what is: where Page's test (1954) sees a change begin. */
function beganAt(pairs: readonly Pair[], ratio: number): number {
  let [sum, least, at] = [0, 0, 0];
  for (const [i, { control, candidate }] of pairs.entries()) {
    if (control.count > 0) sum += Math.sign(ratio - 1) * (candidate.sum - (candidate.count * mean(control) * (1 + ratio)) / 2);
    if (sum < least) [least, at] = [sum, i + 1];
  }
  return at;
}

function sentence({ feature, ratio }: FeatureDrift): string {
  return `${feature} is ${ratio.estimate.toFixed(2)} times what it was [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`;
}
