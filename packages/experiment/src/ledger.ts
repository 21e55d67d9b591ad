/** The days of the savings ledger: of each version that a rollout made stable, against the holdout that it left behind. */
import type { ArmCell } from '@autoflow/topology';
import { around, type Interval } from './confidence-sequence.js';
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
  readonly ours: { readonly arm: 'control'; readonly version: string };
  readonly theirs: { readonly arm: 'holdout'; readonly version: string };
  readonly from: number;
  readonly to: number;
  readonly blockMs: number;
}

/**
 * The same whenever it is asked for, so that a day that is written down is what its rows said: the version beside the one before it on the holdout, in 96
 * blocks (of a whole day: a quarter of an hour), or fewer of a second. Like with like: of the version the slice that is as large as the holdout, whose
 * batches fill no better. All that it runs would be fuller batches on whatever version, which is no saving.
 */
export function comparisonOf({ version, against, from, to }: Stretch): StretchComparison {
  const blockMs = Math.max(1_000, Math.floor((to - from) / BLOCKS_PER_DAY));
  return { ours: { arm: 'control', version }, theirs: { arm: 'holdout', version: against }, from, to, blockMs };
}

/**
 * What the version saved in the blocks of a stretch, losses included: US dollars of all `records` that it ran, milliseconds per record. With probability
 * 0.95 either interval holds of the slice. Of all others it is assumed that each saves as much as one of the slice: the effect is that at the slice's
 * rate. Where batches are fuller, what is saved per batch is less per record, and what larger batches save is more.
 */
export function savedIn(blocks: readonly { readonly ours: ArmCell; readonly theirs: ArmCell }[], records: number): Savings {
  const { savedUsd, ...slice } = savings(blocks.map(({ ours, theirs }) => ({ stable: ours, holdout: theirs })));
  const charged = blocks.reduce((sum, { ours }) => sum + ours.charged, 0);
  return { ...slice, records, ...(savedUsd && { savedUsd: times(savedUsd, records / charged) }) };
}

function times({ estimate, low, high }: Interval, factor: number): Interval {
  return { estimate: estimate * factor, low: low * factor, high: high * factor };
}

/**
 * What days saved together, in US dollars; those whose saving has no bounds yet are left out. Days err independently of each other, so that the squares of
 * the intervals' half-widths add up; each is two standard errors at least, so is their sum, which holds with probability 0.95 at one look.
 */
export function savedTogether(days: readonly Pick<Savings, 'savedUsd'>[]): Interval {
  const known = days.flatMap(({ savedUsd }) => (savedUsd !== undefined && Number.isFinite(savedUsd.high - savedUsd.low) ? [savedUsd] : []));
  const estimate = known.reduce((sum, day) => sum + day.estimate, 0);
  return around(estimate, Math.hypot(...known.map(({ low, high }) => (high - low) / 2)));
}

/** The midnight (UTC) that a day began with. */
export const midnight = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
