/** Ordinary least squares. */
import { criticalT, twoSided } from './student.js';

export interface Regression {
  readonly rows: number;
  /** Share of the variance that is explained. */
  readonly r2: number;
  readonly coefficients: readonly Coefficient[];
}
export interface Coefficient {
  readonly name: string;
  readonly value: number;
  /** Half of the 95 % interval. */
  readonly halfWidth: number;
  readonly p: number;
}

/**
 * y = β₀ + Σ βᵢ xᵢ, by the normal equations. A regressor that does not vary, or that the others make up, is left out. Undefined where there are no
 * more rows than coefficients.
 */
export function regress(names: readonly string[], x: readonly (readonly number[])[], y: readonly number[]): Regression | undefined {
  const kept: number[] = [];
  for (let i = 0; i < names.length; i++) if (isNew(x, [...kept, i])) kept.push(i);
  const columns = ['constant', ...kept.map((i) => names[i]!)];
  const design = x.map((row) => [1, ...kept.map((i) => row[i]!)]);
  const freedom = y.length - columns.length;
  if (freedom < 1) return undefined;
  const inverse = inverted(products(design));
  if (inverse === undefined) return undefined;
  const xy = columns.map((_, i) => design.reduce((sum, row, r) => sum + row[i]! * y[r]!, 0));
  const beta = inverse.map((row) => row.reduce((sum, value, i) => sum + value * xy[i]!, 0));
  const centre = y.reduce((sum, value) => sum + value, 0) / y.length;
  const left = design.reduce((sum, row, r) => sum + (y[r]! - row.reduce((at, value, i) => at + value * beta[i]!, 0)) ** 2, 0);
  const all = y.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const coefficients = columns.map((name, i) => {
    const error = Math.sqrt((inverse[i]![i]! * left) / freedom);
    return { name, value: beta[i]!, halfWidth: criticalT(0.05, freedom) * error, p: twoSided(beta[i]! / error, freedom) };
  });
  return { rows: y.length, r2: all === 0 ? 1 : 1 - left / all, coefficients };
}

/** Whether the last of these columns says something that the others, and the constant, do not. */
function isNew(x: readonly (readonly number[])[], columns: readonly number[]): boolean {
  return inverted(products(x.map((row) => [1, ...columns.map((i) => row[i]!)]))) !== undefined;
}

function products(design: readonly (readonly number[])[]): number[][] {
  const width = design[0]?.length ?? 0;
  return Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => design.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
  );
}

const SINGULAR = 1e-10;

/** Gauss and Jordan with pivots, on rows and columns of unit scale; undefined: singular. */
function inverted(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const size = matrix.length;
  const scale = matrix.map((row, i) => Math.sqrt(row[i]!));
  if (scale.some((value) => !(value > 0))) return undefined;
  const rows = matrix.map((row, i) => [...row.map((value, j) => value / (scale[i]! * scale[j]!)), ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let at = 0; at < size; at++) {
    const pivot = rows.slice(at).reduce((best, row, i) => (Math.abs(row[at]!) > Math.abs(rows[best]![at]!) ? at + i : best), at);
    if (Math.abs(rows[pivot]![at]!) < SINGULAR) return undefined;
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    const own = rows[at]!.map((value) => value / rows[at]![at]!);
    rows[at] = own;
    for (let i = 0; i < size; i++) if (i !== at) rows[i] = rows[i]!.map((value, j) => value - rows[i]![at]! * own[j]!);
  }
  return rows.map((row, i) => row.slice(size).map((value, j) => value / (scale[i]! * scale[j]!)));
}
