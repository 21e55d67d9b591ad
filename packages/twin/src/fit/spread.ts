import { robustLine } from './line.js';

/**
 * How much invocations vary, as a whole (`cv`) and by record (`cvPerRecord`): the squared relative residual of an invocation is
 * cv² + cvPerRecord²·q with q = n·r² / (F + n·r)², because independent records average out over a batch and a common factor does not.
 * Where all have one size, all is `cv`.
 */
export function spreadOf(
  samples: readonly { readonly records: number; readonly ms: number }[],
  fixedMs: number,
  perRecordMs: number,
): { readonly cv: number; readonly cvPerRecord: number } {
  const usable = samples.filter(({ records }) => fixedMs + records * perRecordMs > 0);
  if (usable.length < 2) return { cv: 0, cvPerRecord: 0 };
  const expected = usable.map(({ records }) => fixedMs + records * perRecordMs);
  const ratios = usable.map(({ ms }, i) => ms / expected[i]!);
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  if (!(mean > 0) || !Number.isFinite(mean)) return { cv: 0, cvPerRecord: 0 };
  const squares = ratios.map((ratio) => Math.min(FARTHEST, ratio / mean - 1) ** 2);
  const shares = usable.map(({ records }, i) => records * (perRecordMs / expected[i]!) ** 2);
  if (!(Math.max(...shares) > 1.5 * Math.min(...shares)))
    return { cv: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (squares.length - 1)), cvPerRecord: 0 };
  const { intercept, slope } = meanLine(shares, squares);
  return { cv: Math.sqrt(intercept), cvPerRecord: Math.sqrt(slope) };
}

/** One stall must not be the spread. */
const FARTHEST = 8;

/** Squares are skewed: their means by share, not their medians. */
function meanLine(shares: readonly number[], squares: readonly number[]): { readonly intercept: number; readonly slope: number } {
  const order = shares.map((_, i) => i).sort((a, b) => shares[a]! - shares[b]!);
  const groups = Math.max(2, Math.min(6, Math.floor(order.length / 8)));
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const cut = Array.from({ length: groups }, (_, g) =>
    order.slice(Math.floor((g * order.length) / groups), Math.floor(((g + 1) * order.length) / groups)),
  );
  return robustLine(
    cut.map((group) => meanOf(group.map((i) => shares[i]!))),
    cut.map((group) => meanOf(group.map((i) => squares[i]!))),
  );
}
