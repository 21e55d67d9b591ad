/** The days of the savings ledger: of each version that a rollout made stable, against the holdout that it left behind. */
import type { ArmCell } from '@autoflow/topology';
import { savings, type Savings } from './savings.js';

const DAY_MS = 86_400_000;
/** Blocks of a whole day; shorter stretches get finer ones, down to a second. */
const BLOCKS_PER_DAY = 96;

/** A day (UTC), or the part of it on which the version was stable; milliseconds since the epoch, `to` excluded. */
export interface Stretch {
  readonly version: string;
  readonly against: string;
  readonly from: number;
  readonly to: number;
}
/** A rollout, however it ended. */
export interface Ended {
  readonly state: string;
  readonly version: string;
  readonly baseline: string;
  readonly endedAt?: Date;
}

/** The stable pointer was set: an audit row, with the pointer before and after. */
export interface Pointed {
  readonly at: Date;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** From each promotion to the next move of the stable pointer, day by day, from the day that `from` is in until `to`. */
export function stretches(rollouts: readonly Ended[], pointed: readonly Pointed[], from: number, to: number): Stretch[] {
  const moves = pointed.filter(({ before, after }) => versionOf(before) !== versionOf(after));
  return rollouts.flatMap(({ state, version, baseline, endedAt }) => {
    if (state !== 'promoted' || endedAt === undefined) return [];
    const end = Math.min(to, ...moves.filter(({ at }) => at > endedAt).map(({ at }) => at.getTime()));
    const found: Stretch[] = [];
    for (let start = Math.max(midnight(from), endedAt.getTime()); start < end;) {
      const next = midnight(start) + DAY_MS;
      found.push({ version, against: baseline, from: start, to: Math.min(end, next) });
      start = next;
    }
    return found;
  });
}

function versionOf(pointer: unknown): unknown {
  return typeof pointer === 'object' && pointer !== null && 'version' in pointer ? pointer.version : undefined;
}

/** The name of a stretch among those of its pipeline. */
export const stretchName = ({ version, from }: Pick<Stretch, 'version' | 'from'>): string => `${version} ${Math.round(from)}`;

/** What is compared for a stretch; all in milliseconds, `from` and `to` since the epoch. */
export interface StretchComparison {
  readonly ours: { readonly arm: 'stable'; readonly version: string };
  readonly theirs: { readonly arm: 'holdout'; readonly version: string };
  readonly from: number;
  readonly to: number;
  readonly blockMs: number;
}

/**
 * The same whenever it is asked for, so that a day that is written down is what its rows said: the version on the stable arm beside the one before it on
 * the holdout, in 96 blocks (of a whole day: a quarter of an hour), or fewer of a second.
 */
export function comparisonOf({ version, against, from, to }: Stretch): StretchComparison {
  const blockMs = Math.max(1_000, Math.floor((to - from) / BLOCKS_PER_DAY));
  return { ours: { arm: 'stable', version }, theirs: { arm: 'holdout', version: against }, from, to, blockMs };
}

/**
 * What the version saved in the blocks of a stretch, losses included: US dollars of all records that it ran, milliseconds per record. With
 * probability 0.95 either interval holds.
 */
export function savedIn(blocks: readonly { readonly ours: ArmCell; readonly theirs: ArmCell }[]): Savings {
  return savings(blocks.map(({ ours, theirs }) => ({ stable: ours, holdout: theirs })));
}

/** The midnight (UTC) that a day began with. */
export const midnight = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
