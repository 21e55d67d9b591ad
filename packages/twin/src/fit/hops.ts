import { quantile } from '../quantile.js';
import { grouped } from './grouped.js';
import type { MeteredInvocation } from './rows.js';

export type Kind = 'start' | 'activity' | 'settle';

/** On the way through Temporal, from what went before to what comes next, in milliseconds. */
export interface Hop {
  readonly kind: Kind;
  /** Of the batch. */
  readonly records: number;
  readonly from: number;
  readonly to: number;
}

/** Of executions, from their batch in the books to its end, as far as the rows tell. */
export function hopsOf(rows: readonly MeteredInvocation[]): Hop[] {
  const hops: Hop[] = [];
  const firsts: Omit<Hop, 'kind'>[] = [];
  for (const [, own] of grouped(rows, ({ executionId }) => executionId)) {
    const ends = own.map(endOf);
    const [{ openedAt, closedAt }] = own as [MeteredInvocation];
    const records = recordsOf(own);
    const add = (kind: Kind, from: number, to: number): void => void (isHop(from, to) && hops.push({ kind, records, from, to }));
    for (const { startedAt } of own) {
      const at = startedAt.getTime();
      const before = ends.filter((end) => end <= at + CLOCK_MS);
      if (before.length > 0) add('activity', Math.max(...before), at);
      else if (openedAt !== undefined && isHop(openedAt.getTime(), at)) firsts.push({ records, from: openedAt.getTime(), to: at });
    }
    if (closedAt !== undefined) add('settle', Math.max(...ends), closedAt.getTime());
  }
  return [...hops, ...parted(firsts, hops)];
}

/** The first hop of an execution is its start and the dispatch of an activity: where one ends is told by what the quickest take, with and without it. */
function parted(firsts: readonly Omit<Hop, 'kind'>[], hops: readonly Hop[]): Hop[] {
  const activity = quickest(hops.filter(({ kind }) => kind === 'activity'));
  const both = quickest(firsts);
  const share = Math.min(0.9, Math.max(0.1, activity === undefined || both === undefined ? 0.5 : 1 - activity / both));
  return firsts.flatMap(({ records, from, to }): Hop[] => {
    const middle = from + share * (to - from);
    return [
      { kind: 'start', records, from, to: middle },
      { kind: 'activity', records, from: middle, to },
    ];
  });
}

/** Of the batch: no stage gets more of them. */
const recordsOf = (own: readonly MeteredInvocation[]): number =>
  Math.max(...[...grouped(own, ({ stage }) => stage).values()].map((parts) => parts.reduce((sum, { recordsIn }) => sum + recordsIn, 0)));
const CLOCK_MS = 1;
/** Something was down meanwhile. */
const LONGEST_MS = 60_000;

const isHop = (from: number, to: number): boolean => to > from && to - from < LONGEST_MS;

export const startOf = ({ startedAt, gateMs, coldStartMs }: MeteredInvocation): number => startedAt.getTime() + gateMs + coldStartMs;
export const endOf = (row: MeteredInvocation): number => startOf(row) + row.durationMs;

export const timeOf = ({ from, to }: Omit<Hop, 'kind'>): number => to - from;

export function quickest(hops: readonly Omit<Hop, 'kind'>[]): number | undefined {
  const times = hops.map(timeOf).sort((a, b) => a - b);
  return times.length === 0 ? undefined : quantile(times, QUICKEST);
}
const QUICKEST = 0.02;
