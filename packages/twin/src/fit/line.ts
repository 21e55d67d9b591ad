import { quantile } from '../quantile.js';

/** y = intercept + slope·x, with standard errors; neither is negative. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  readonly interceptError: number;
  readonly slopeError: number;
}

/** Beyond so many robust standard deviations a value counts less: far enough that the long tail of a lognormal still counts. */
const HUBER = 3.5;
const ITERATIONS = 15;

/**
 * Robust line through values whose spread grows with their mean: iteratively reweighted least squares on relative residuals, Huber's weights.
 * With one x only, all is slope: the values cannot tell an intercept. `x` must not be empty.
 */
export function robustLine(x: readonly number[], y: readonly number[]): Line {
  let line = start(x, y);
  const floor = 0.02 * (y.reduce((sum, value) => sum + value, 0) / y.length) + 1e-9;
  for (let i = 0; i < ITERATIONS; i++) {
    const expected = x.map((n) => Math.max(floor, line.intercept + line.slope * n));
    const residuals = y.map((value, j) => (value - line.intercept - line.slope * x[j]!) / expected[j]!);
    const scale = 1.4826 * medianOf(residuals.map(Math.abs)) || 1e-9;
    const weights = residuals.map((residual, j) => Math.min(1, (HUBER * scale) / Math.abs(residual || 1e-12)) / expected[j]! ** 2);
    line = weighted(x, y, weights, residuals);
  }
  return line;
}

export const medianOf = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

/** Through the medians of the smaller and of the larger x. */
function start(x: readonly number[], y: readonly number[]): Line {
  const middle = (Math.min(...x) + Math.max(...x)) / 2;
  const part = (large: boolean): { readonly x: number; readonly y: number } => {
    const of = (values: readonly number[]): number => medianOf(values.filter((_, i) => x[i]! > middle === large));
    return { x: of(x), y: of(y) };
  };
  const [low, high] = [part(false), part(true)];
  if (!(high.x > low.x)) return { intercept: 0, slope: medianOf(y) / Math.max(1e-9, low.x), interceptError: 0, slopeError: 0 };
  return { ...nonNegative(low.y - (low.x * (high.y - low.y)) / (high.x - low.x), (high.y - low.y) / (high.x - low.x), low), ...NO_ERRORS };
}

const NO_ERRORS = { interceptError: 0, slopeError: 0 };

function weighted(x: readonly number[], y: readonly number[], weights: readonly number[], residuals: readonly number[]): Line {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  x.forEach((n, i) => {
    const weight = weights[i]!;
    w += weight;
    wx += weight * n;
    wy += weight * y[i]!;
    wxx += weight * n * n;
    wxy += weight * n * y[i]!;
  });
  const determinant = w * wxx - wx * wx;
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0) / Math.max(1, x.length - 2);
  if (determinant < 1e-9 * w * wxx) {
    const slope = wxx > 0 ? Math.max(0, wxy / wxx) : 0;
    return { intercept: 0, slope, interceptError: Number.POSITIVE_INFINITY, slopeError: Math.sqrt(squares / wxx) };
  }
  const slope = (w * wxy - wx * wy) / determinant;
  const intercept = (wxx * wy - wx * wxy) / determinant;
  return {
    ...nonNegative(intercept, slope, { x: wx / w, y: wy / w }, wxy / wxx),
    interceptError: Math.sqrt((squares * wxx) / determinant),
    slopeError: Math.sqrt((squares * w) / determinant),
  };
}

/** Where one would be negative it is 0, and the other fits alone. */
function nonNegative(
  intercept: number,
  slope: number,
  centre: { readonly x: number; readonly y: number },
  alone = centre.y / Math.max(1e-9, centre.x),
): { readonly intercept: number; readonly slope: number } {
  if (slope < 0) return { intercept: Math.max(0, centre.y), slope: 0 };
  return intercept < 0 ? { intercept: 0, slope: Math.max(0, alone) } : { intercept, slope };
}
