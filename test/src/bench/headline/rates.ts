/** Constant rates: each side up to the most that it sustains within the service level. */
import type { Cell } from './figures.js';
import type { HeadlineConditions } from './conditions.js';

/**
 * Shares of a side's estimated capacity, one after the other: from the first one up until the service level is not kept any more, beyond the last share
 * in steps of a fifth, or down until it is; undefined when enough is known, or `most` were tried. `tried`: by share, whether it was sustained.
 */
export function nextShare(
  { shares, first, most = Number.POSITIVE_INFINITY }: HeadlineConditions['rungs'],
  tried: readonly { readonly share: number; readonly sustained: boolean }[],
): number | undefined {
  if (tried.length === 0) return first;
  if (tried.length >= most) return undefined;
  const last = tried.at(-1)!;
  const isRising = tried[0]!.sustained;
  if (isRising !== last.sustained) return undefined;
  return isRising ? (shares.find((share) => share > last.share) ?? last.share * 1.2) : shares.findLast((share) => share < last.share);
}

/**
 * Whether a side kept the service level: on p99 over all records, those that ended after the load included, and with no more of them open at its end
 * than arrive in that time. Rates are not compared: a cell is so short that what arrives in it is chance by some per cent.
 */
export function keepsUp({ offeredRate, latency, backlog, unfinished }: Cell, serviceLevelMs: number): boolean {
  return (
    latency !== undefined &&
    latency.p99 <= serviceLevelMs &&
    unfinished === 0 &&
    backlog <= Math.max(1, (offeredRate * serviceLevelMs) / 1000)
  );
}

export const byRepetition = (cells: readonly Cell[]): Cell[][] =>
  [...new Set(cells.map(({ repetition }) => repetition))].map((repetition) => cells.filter((cell) => cell.repetition === repetition));

/** Records per second: the most that was sustained; undefined where nothing was. */
export function saturationOf(cells: readonly Cell[], serviceLevelMs: number): number | undefined {
  const sustained = cells.filter((cell) => keepsUp(cell, serviceLevelMs)).map(({ achievedRate }) => achievedRate);
  return sustained.length === 0 ? undefined : Math.max(...sustained);
}
