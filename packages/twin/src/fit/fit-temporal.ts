import type { HostModel, TemporalModel } from '../model/host-model.js';
import { quantile } from '../quantile.js';
import { cpuOver, type CpuStretch } from './cpu-over.js';
import { endOf, hopsOf, quickest, startOf, timeOf, type Hop, type Kind } from './hops.js';
import { nonNegativeLeastSquares, type Equation } from './least-squares.js';
import { medianOf } from './line.js';
import type { MeteredInvocation } from './rows.js';

/** Fewer tell nothing. */
const FEWEST = 20;
const ITERATIONS = 40;
/** A stall counts as so many times what nine of ten gaps stay below: what the stack does every hour is not what it does. */
const FARTHEST = 5;

const KINDS: readonly Kind[] = ['activity', 'start', 'settle'];
const WORK = { start: 'startMs', activity: 'activityMs', settle: 'settleMs' } as const;
type Work = { readonly [kind in Kind]?: number };

/**
 * Temporal as the executions found it: a hop is the station's work and then a latency. While no server of the station is without a hop, a departure
 * follows the one before by the work of whoever departs, divided by the servers (Lindley, 1952, for one): the mean over those is the work, which
 * tells the most that the stack can do, and what a hop takes beyond it where nothing is in the way is the latency. On the host of the functions the
 * servers are its cores, and what functions computed meanwhile is no work of Temporal's (the utilisation law; Denning and Buzen, 1978). What is
 * done for each record of a batch is told from what is done for the batch where there were batches of several sizes. Where the servers were next
 * to never all busy, waiting cannot be told from working: then the work is what the host says (not `told`), and the latency what remains.
 */
export function fitTemporal(
  rows: readonly MeteredInvocation[],
  { cores, temporal }: Pick<HostModel, 'cores' | 'temporal'>,
): FittedTemporal {
  const hops = hopsOf(rows);
  if (hops.length < FEWEST) return { temporal, told: false };
  const station: Station = temporal.onHost
    ? {
        servers: cores,
        takenMs: cpuOver([...coldStarts(rows), ...rows.map((row) => ({ from: startOf(row), to: endOf(row), cpuMs: row.cpuMs }))]),
      }
    : { servers: temporal.servers, takenMs: () => 0 };
  let [latencyMs, gaps] = [0, busyGaps(hops, 0, station)];
  let work = workOf(gaps);
  for (let i = 0; i < ITERATIONS && work !== undefined; i++) {
    latencyMs = (latencyMs + restOf(hops, work)) / 2;
    gaps = busyGaps(hops, latencyMs, station);
    work = workOf(gaps);
  }
  if (work === undefined) {
    const assumed = restOf(hops, { start: temporal.startMs, activity: temporal.activityMs, settle: temporal.settleMs });
    return { temporal: { ...temporal, latencyMs: assumed }, told: false };
  }
  const fitted = { ...temporal, servers: station.servers, ...toldApart(gaps, millisecondsOf(work, temporal), temporal), latencyMs };
  return { temporal: fitted, told: true };
}

export interface FittedTemporal {
  readonly temporal: TemporalModel;
  readonly told: boolean;
}

/** An instance that starts computes all the while: where nothing is in its way it takes no longer than that. */
function coldStarts(rows: readonly MeteredInvocation[]): CpuStretch[] {
  const cold = rows.filter(({ coldStartMs }) => coldStartMs > 0);
  if (cold.length === 0) return [];
  const cpuMs = quantile(
    cold.map(({ coldStartMs }) => coldStartMs).sort((a, b) => a - b),
    0.1,
  );
  return cold.map((row) => ({ from: startOf(row) - row.coldStartMs, to: startOf(row), cpuMs: Math.min(cpuMs, row.coldStartMs) }));
}

interface Station {
  readonly servers: number;
  /** Of the servers' time from one moment to another, what was no work of Temporal's. */
  readonly takenMs: (from: number, to: number) => number;
}

/** Between two departures, with no server idle. */
interface Gap {
  /** Of the one that departs. */
  readonly kind: Kind;
  readonly records: number;
  readonly ms: number;
  readonly workMs: number;
}

function busyGaps(hops: readonly Hop[], latencyMs: number, { servers, takenMs }: Station): Gap[] {
  const left = hops.map((hop) => ({ ...hop, at: Math.max(hop.from, hop.to - latencyMs) })).sort((a, b) => a.at - b.at);
  const came = left.map(({ from }) => from).sort((a, b) => a - b);
  const gaps: Gap[] = [];
  let here = 0;
  for (let i = 1; i < left.length; i++) {
    const [before, { kind, records, at }] = [left[i - 1]!.at, left[i]!];
    while (here < came.length && came[here]! < before) here++;
    if (here - i >= servers) gaps.push({ kind, records, ms: at - before, workMs: servers * (at - before) - takenMs(before, at) });
  }
  const most =
    FARTHEST *
    quantile(
      [0, ...gaps.map(({ ms }) => ms)].sort((a, b) => a - b),
      0.9,
    );
  return gaps.map((gap) => (gap.ms > most ? { ...gap, ms: most, workMs: (gap.workMs * most) / gap.ms } : gap));
}

/** By kind; undefined where there are too few of all, or functions took all that the servers can do. */
function workOf(gaps: readonly Gap[]): Work | undefined {
  const of = (kind: Kind): number[] => gaps.flatMap((gap) => (gap.kind === kind ? [gap.workMs] : []));
  const means = KINDS.map((kind) => [kind, of(kind)] as const).flatMap(([kind, times]) =>
    times.length >= FEWEST ? [[kind, meanOf(times)] as const] : [],
  );
  const known = means.filter(([, mean]) => mean > 0);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

type Works = Pick<TemporalModel, 'startMs' | 'activityMs' | 'settleMs'>;

/**
 * What was done for activities, for both ends of executions, and for records: least squares over stretches of departures in which there was more of one
 * and less of another. By kinds alone they are not told apart: with several servers, work is done meanwhile for others than who departs. What the
 * stretches do not tell stays as it was by kinds.
 */
function toldApart(gaps: readonly Gap[], works: Works, temporal: TemporalModel): Works & Pick<TemporalModel, 'recordMs'> {
  const stretches = chunked(gaps, STRETCH).map((stretch) => ({
    activities: sumOf(stretch, ({ kind }) => (kind === 'activity' ? works.activityMs : 0)),
    ends: sumOf(stretch, ({ kind }) => (kind === 'activity' ? 0 : works[WORK[kind]])),
    records: sumOf(stretch, ({ kind, records }) => (kind === 'activity' ? 0 : records / 2)),
    workMs: sumOf(stretch, ({ workMs }) => workMs),
  }));
  if (stretches.length < FEWEST_STRETCHES || stretches.every(({ ends }) => ends === 0)) return { ...works, recordMs: temporal.recordMs };
  const equations = stretches.map(({ activities, ends, records, workMs }): Equation => {
    const expected = activities + ends;
    return { parts: [activities / expected, ends / expected, records / expected], of: workMs / expected };
  });
  const assumed = [1, 1, temporal.recordMs].map((value, i): Equation => {
    return { parts: [0, 1, 2].map((j) => (i === j ? ASSUMED[i]! : 0)), of: ASSUMED[i]! * value };
  });
  const [activity, end, recordMs] = nonNegativeLeastSquares([...equations, ...assumed]) as [number, number, number];
  return { startMs: end * works.startMs, activityMs: activity * works.activityMs, settleMs: end * works.settleMs, recordMs };
}
/** Departures: who departs at their edges matters little. */
const STRETCH = 25;
const FEWEST_STRETCHES = 5;
/** Of what one stretch tells. */
const ASSUMED = [2, 2, 0.1];

const chunked = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.floor(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
const sumOf = <T>(values: readonly T[], of: (value: T) => number): number => values.reduce((sum, value) => sum + of(value), 0);
const meanOf = (values: readonly number[]): number => sumOf(values, (value) => value) / values.length;

/** What is no work of those that met nobody; where there are too few of them, of the quickest. Of activities, if there are some. */
function restOf(hops: readonly Hop[], work: Work): number {
  const kind = KINDS.find((one) => work[one] !== undefined && hops.filter((hop) => hop.kind === one).length >= FEWEST);
  if (kind === undefined) return 0;
  const alone = whoMetNobody(hops).filter((hop) => hop.kind === kind);
  const ms = alone.length >= FEWEST ? medianOf(alone.map(timeOf)) : quickest(hops.filter((hop) => hop.kind === kind))!;
  return Math.max(0, ms - work[kind]!);
}

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

/** What was not seen has its usual proportion. */
function millisecondsOf(work: Work, temporal: TemporalModel): Works {
  const seen = KINDS.filter((kind) => work[kind] !== undefined);
  const sum = (of: (kind: Kind) => number): number => seen.reduce((total, kind) => total + of(kind), 0);
  const scale =
    sum((kind) => work[kind]!) /
    Math.max(
      1e-9,
      sum((kind) => temporal[WORK[kind]]),
    );
  const of = (kind: Kind): number => work[kind] ?? scale * temporal[WORK[kind]];
  return { startMs: of('start'), activityMs: of('activity'), settleMs: of('settle') };
}
