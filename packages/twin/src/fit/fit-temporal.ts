import type { TemporalModel } from '../model/host-model.js';
import { quantile } from '../quantile.js';
import { grouped } from './grouped.js';
import { medianOf } from './line.js';
import type { MeteredInvocation } from './rows.js';

/** Fewer tell nothing. */
const FEWEST = 20;
const ITERATIONS = 40;
/** A stall, times the median, counts as so much: what the stack does every hour is not what it does. */
const FARTHEST = 12;

type Kind = 'start' | 'activity' | 'settle';
const KINDS: readonly Kind[] = ['activity', 'start', 'settle'];
const WORK = { start: 'startMs', activity: 'activityMs', settle: 'settleMs' } as const;
type Work = { readonly [kind in Kind]?: number };

/** On the way through Temporal, from what went before to what comes next, in milliseconds. */
interface Hop {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

/**
 * Temporal as the executions found it: a hop is the station's work and then a latency. Of a first-come-first-served station a departure follows the
 * one before by the work of whoever departs, as long as somebody was there (Lindley, 1952): the mean over those is the work, which is one over the
 * most that the stack can do, and what a hop takes beyond it where nothing is in the way is the latency. Where next to nobody ever waited, waiting
 * cannot be told from working: then the work is what the host says, and the latency what remains.
 */
export function fitTemporal(rows: readonly MeteredInvocation[], temporal: TemporalModel): TemporalModel {
  const hops = hopsOf(rows);
  if (hops.length < FEWEST) return temporal;
  let [latencyMs, work] = [0, workOf(hops, 0)];
  for (let i = 0; i < ITERATIONS && work !== undefined; i++) {
    latencyMs = (latencyMs + restOf(hops, work)) / 2;
    work = workOf(hops, latencyMs);
  }
  if (work === undefined)
    return { ...temporal, latencyMs: restOf(hops, { start: temporal.startMs, activity: temporal.activityMs, settle: temporal.settleMs }) };
  return { ...temporal, ...millisecondsOf(work, temporal), latencyMs };
}

/** Of executions, from their batch in the books to its end, as far as the rows tell. */
function hopsOf(rows: readonly MeteredInvocation[]): Hop[] {
  const hops: Hop[] = [];
  const firsts: Omit<Hop, 'kind'>[] = [];
  const add = (kind: Kind, from: number, to: number): void => void (isHop(from, to) && hops.push({ kind, from, to }));
  for (const [, own] of grouped(rows, ({ executionId }) => executionId)) {
    const ends = own.map(endOf);
    const [{ openedAt, closedAt }] = own as [MeteredInvocation];
    for (const { startedAt } of own) {
      const at = startedAt.getTime();
      const before = ends.filter((end) => end <= at + CLOCK_MS);
      if (before.length > 0) add('activity', Math.max(...before), at);
      else if (openedAt !== undefined && isHop(openedAt.getTime(), at)) firsts.push({ from: openedAt.getTime(), to: at });
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
  return firsts.flatMap(({ from, to }): Hop[] => {
    const middle = from + share * (to - from);
    return [
      { kind: 'start', from, to: middle },
      { kind: 'activity', from: middle, to },
    ];
  });
}
const CLOCK_MS = 1;
/** Something was down meanwhile. */
const LONGEST_MS = 60_000;

const isHop = (from: number, to: number): boolean => to > from && to - from < LONGEST_MS;

const endOf = ({ startedAt, gateMs, coldStartMs, durationMs }: MeteredInvocation): number =>
  startedAt.getTime() + gateMs + coldStartMs + durationMs;

/** By kind, from departures of which somebody was there when the one before left; undefined where there are too few of them. */
function workOf(hops: readonly Hop[], latencyMs: number): Work | undefined {
  const left = hops.map(({ kind, from, to }) => ({ kind, from, at: Math.max(from, to - latencyMs) })).sort((a, b) => a.at - b.at);
  const found: { readonly [kind in Kind]: number[] } = { start: [], activity: [], settle: [] };
  left.forEach(({ kind, from, at }, i) => {
    const before = left[i - 1]?.at;
    if (before !== undefined && from < before) found[kind].push(at - before);
  });
  const known = (Object.entries(found) as [Kind, number[]][]).filter(([, times]) => times.length >= FEWEST);
  return known.length === 0 ? undefined : Object.fromEntries(known.map(([kind, times]) => [kind, meanOf(times)]));
}

function meanOf(times: readonly number[]): number {
  const most = FARTHEST * medianOf(times);
  return times.reduce((sum, time) => sum + Math.min(time, most), 0) / times.length;
}

/** What is no work of those that met nobody; where there are too few of them, of the quickest. Of activities, if there are some. */
function restOf(hops: readonly Hop[], work: Work): number {
  const kind = KINDS.find((one) => work[one] !== undefined && hops.filter((hop) => hop.kind === one).length >= FEWEST);
  if (kind === undefined) return 0;
  const alone = whoMetNobody(hops).filter((hop) => hop.kind === kind);
  const ms = alone.length >= FEWEST ? medianOf(alone.map(timeOf)) : quickest(hops.filter((hop) => hop.kind === kind))!;
  return Math.max(0, ms - work[kind]!);
}

const timeOf = ({ from, to }: Omit<Hop, 'kind'>): number => to - from;

function quickest(hops: readonly Omit<Hop, 'kind'>[]): number | undefined {
  const times = hops.map(timeOf).sort((a, b) => a - b);
  return times.length === 0 ? undefined : quantile(times, QUICKEST);
}
const QUICKEST = 0.1;

function whoMetNobody(hops: readonly Hop[]): Hop[] {
  let last = Number.NEGATIVE_INFINITY;
  return hops
    .toSorted((a, b) => a.from - b.from)
    .filter(({ from, to }) => {
      const alone = from >= last;
      last = Math.max(last, to);
      return alone;
    });
}

/** What was not seen has its usual proportion. Of several servers each works for itself. */
function millisecondsOf(work: Work, temporal: TemporalModel): Pick<TemporalModel, 'startMs' | 'activityMs' | 'settleMs'> {
  const seen = KINDS.filter((kind) => work[kind] !== undefined);
  const sum = (of: (kind: Kind) => number): number => seen.reduce((total, kind) => total + of(kind), 0);
  const scale =
    sum((kind) => work[kind]!) /
    Math.max(
      1e-9,
      sum((kind) => temporal[WORK[kind]]),
    );
  const of = (kind: Kind): number => temporal.servers * (work[kind] ?? scale * temporal[WORK[kind]]);
  return { startMs: of('start'), activityMs: of('activity'), settleMs: of('settle') };
}
