/** Whether the workload is still the one that a decision was made for. */
import { around, boundary, type Interval } from './confidence-sequence.js';
import { longRunVariance, mean, residual, total, type Total } from './contrast.js';

/** One block of time: per feature what was summed up over how many. The rate is {sum: records, count: 1}. */
export interface WorkloadBlock {
  readonly [feature: string]: Total;
}
export interface DriftSettings {
  /** Of all features together. */
  readonly alpha: number;
  /** Relative change of a feature that a decision outlives; default 0.25. */
  readonly band: number;
  /** Of single features, where they differ: a rate has days and nights. */
  readonly bands?: { readonly [feature: string]: number };
  /** On either side, before anything is said. */
  readonly minimumBlocks: number;
}
export interface FeatureDrift {
  readonly feature: string;
  /** By now over what it was. */
  readonly ratio: Interval;
  readonly drifted: boolean;
  /** With this block of now it began to be as it is: 0 where it was so in all of them. */
  readonly since: number;
}
export interface Drift {
  readonly drifted: boolean;
  /** The block of now with which all that has drifted was as it is; absent: nothing has. */
  readonly since?: number;
  readonly features: readonly FeatureDrift[];
  /** Sentences, one per feature that has drifted. */
  readonly reasons: readonly string[];
}

export const DRIFT: DriftSettings = { alpha: 0.01, band: 0.25, bands: { rate: 1 }, minimumBlocks: 12 };

/**
 * A feature has drifted when the confidence sequence of ln(its mean by now / its mean then) lies outside the band on one side: not merely changed,
 * which a long enough sample always shows, but changed by more than the decision tolerates. May be asked after every block: a workload
 * that stays within the band is called drifted with probability at most alpha. Features that only one side has are passed over.
 */
export function drift(then: readonly WorkloadBlock[], now: readonly WorkloadBlock[], settings: DriftSettings = DRIFT): Drift {
  const names = [...new Set(then.flatMap((block) => Object.keys(block)))].sort();
  const features = names.flatMap((feature) => featureDrift(feature, then, now, settings, settings.alpha / names.length) ?? []);
  const gone = features.filter(({ drifted }) => drifted);
  const since = gone.length > 0 && { since: Math.max(...gone.map((one) => one.since)) };
  return { drifted: gone.length > 0, ...since, features, reasons: gone.map(sentence) };
}

function featureDrift(
  feature: string,
  then: readonly WorkloadBlock[],
  now: readonly WorkloadBlock[],
  { band, bands, minimumBlocks }: DriftSettings,
  alpha: number,
): FeatureDrift | undefined {
  const [before, after] = [then, now].map((blocks) => blocks.flatMap((block) => block[feature] ?? [])) as [Total[], Total[]];
  const [was, is] = [total(before), total(after)];
  if (Math.min(before.length, after.length) < minimumBlocks || was.sum <= 0 || is.sum <= 0) return undefined;
  const estimate = Math.log(mean(is) / mean(was));
  const variance = variationOf(before, was) + variationOf(after, is);
  const log = around(estimate, boundary(Math.min(before.length, after.length), alpha, minimumBlocks * 4) * Math.sqrt(variance));
  const tolerated = Math.log1p(bands?.[feature] ?? band);
  return {
    feature,
    ratio: { estimate: Math.exp(log.estimate), low: Math.exp(log.low), high: Math.exp(log.high) },
    drifted: log.low > tolerated || log.high < -tolerated,
    since: beganAt(
      now.map((block) => block[feature]),
      mean(was),
      mean(is),
    ),
  };
}

/** Behind the least sum of deviations from halfway between what was and what is: where Page's test (1954) sees a change begin. */
function beganAt(blocks: readonly (Total | undefined)[], was: number, is: number): number {
  let [sum, least, at] = [0, 0, 0];
  for (const [i, { sum: part, count } = { sum: 0, count: 0 }] of blocks.entries()) {
    sum += Math.sign(is - was) * (part - (count * (was + is)) / 2);
    if (sum < least) [least, at] = [sum, i + 1];
  }
  return at;
}

const variationOf = (parts: readonly Total[], whole: Total): number =>
  longRunVariance(parts.map((part) => residual(part, whole) / whole.sum));

function sentence({ feature, ratio }: FeatureDrift): string {
  return `${feature} is ${ratio.estimate.toFixed(2)} times what it was [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`;
}
