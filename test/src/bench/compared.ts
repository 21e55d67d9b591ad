/** Two sides of an experiment by a few repetitions each: their ratio with an interval, and Welch's test. */
import { criticalT, twoSided } from './student.js';
import { mean } from './statistics.js';

export interface Welch {
  readonly t: number;
  /** Welch–Satterthwaite. */
  readonly freedom: number;
  /** Two-sided. */
  readonly p: number;
}

/** Of the ratio of what is typical of `ours` to what is of `theirs`. */
export interface Ratio {
  readonly ratio: number;
  /** Of 95 %; absent where a side has fewer than two repetitions: then nothing is known of their spread. */
  readonly low?: number;
  readonly high?: number;
  readonly welch?: Welch;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/**
 * Ratio of the geometric means. Its interval is Welch's on the logarithms, since what is compared is a factor; the test that stands beside it is
 * Welch's on the values themselves. Undefined where a side has nothing above zero to compare.
 */
export function compared(ours: readonly number[], theirs: readonly number[]): Ratio | undefined {
  if (ours.length === 0 || theirs.length === 0 || [...ours, ...theirs].some((value) => !(value > 0))) return undefined;
  const [a, b] = [ours.map(Math.log), theirs.map(Math.log)];
  const difference = mean(a) - mean(b);
  const common = { ratio: Math.exp(difference), ours, theirs };
  const test = welch(ours, theirs);
  const spread = errorOf(a, b);
  if (spread === undefined || test === undefined) return common;
  const half = spread.error === 0 ? 0 : criticalT(0.05, spread.freedom) * spread.error;
  return { ...common, low: Math.exp(difference - half), high: Math.exp(difference + half), welch: test };
}

/** Welch's t-test (1947): two means whose variances need not be equal. Undefined for fewer than two values of a side. */
export function welch(a: readonly number[], b: readonly number[]): Welch | undefined {
  const spread = errorOf(a, b);
  if (spread === undefined) return undefined;
  const { error, freedom } = spread;
  const difference = mean(a) - mean(b);
  if (error === 0) return { t: difference === 0 ? 0 : Math.sign(difference) * Infinity, freedom, p: difference === 0 ? 1 : 0 };
  return { t: difference / error, freedom, p: twoSided(difference / error, freedom) };
}

/** Standard error of the difference of the means, and its degrees of freedom. */
function errorOf(a: readonly number[], b: readonly number[]): { readonly error: number; readonly freedom: number } | undefined {
  if (a.length < 2 || b.length < 2) return undefined;
  const [va, vb] = [varianceOf(a) / a.length, varianceOf(b) / b.length];
  if (va + vb === 0) return { error: 0, freedom: a.length + b.length - 2 };
  return { error: Math.sqrt(va + vb), freedom: (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1)) };
}

function varianceOf(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** Ratio of ours to theirs over pairs that were measured under the same load: the geometric mean, with Student's interval on the logarithms. */
export function paired(pairs: readonly { readonly ours: number; readonly theirs: number }[]): Ratio | undefined {
  if (pairs.length === 0 || pairs.some(({ ours, theirs }) => !(ours > 0) || !(theirs > 0))) return undefined;
  const logs = pairs.map(({ ours, theirs }) => Math.log(ours / theirs));
  const [ours, theirs] = [pairs.map((pair) => pair.ours), pairs.map((pair) => pair.theirs)];
  const centre = mean(logs);
  const common = { ratio: Math.exp(centre), ours, theirs };
  if (logs.length < 2) return common;
  const half = criticalT(0.05, logs.length - 1) * Math.sqrt(varianceOf(logs) / logs.length);
  const test = welch(ours, theirs);
  return { ...common, low: Math.exp(centre - half), high: Math.exp(centre + half), ...(test && { welch: test }) };
}
