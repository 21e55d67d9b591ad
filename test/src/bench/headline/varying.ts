/** Loads that vary: a day of the shop, and two functions of a public cloud, all at the same mean rate. */
import { readFunctions } from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import {
  lag1Autocorrelation,
  lasting,
  profileOfCounts,
  rateTrace,
  SPLITS,
  warp,
  withMeanRate,
  type FunctionCounts,
  type RateProfile,
  type Trace,
} from '@autoflow/twin';
import { mean } from '../statistics.js';

export interface VaryingLoad {
  readonly name: string;
  readonly about: string;
  readonly trace: Trace;
  /** The window before it: what could be known in advance. */
  readonly before: Trace;
  /** The same over and over. */
  beforeAgain(durationMs: number): Trace;
  /** How far an interval tells the next. */
  readonly lag1: number;
  /** Of the interval with the most arrivals to the mean; and in the window before. */
  readonly peak: number;
  readonly peakBefore: number;
}

const DAY_MS = 86_400_000;
const SLICE_MS = 600_000;
const MINUTE_MS = 60_000;
/** A minute of the cloud takes so long. */
const MINUTE_TAKES_MS = 5_000;

export interface VaryingOptions {
  readonly seconds: number;
  /** Mean, records per second. */
  readonly rate: number;
  readonly invoices: readonly Fields[];
  /** Folder of AUTOFLOW_DATA; without it only the invoices' day is there. */
  readonly dataFolder: string | undefined;
}

const OF_FUNCTIONS = ['azure, predictable', 'azure, erratic'] as const;

/** Of the loads that there are. */
export const varyingNames = (dataFolder: string | undefined): string[] => ['invoices', ...(dataFolder === undefined ? [] : OF_FUNCTIONS)];

export async function varyingLoads(options: VaryingOptions): Promise<VaryingLoad[]> {
  const loads = [dayOfInvoices(options)];
  if (options.dataFolder === undefined) return loads;
  const functions = burstyFunctions(await readFunctions(options.dataFolder));
  return [...loads, ...OF_FUNCTIONS.map((name, i) => functionLoad(name, functions[i]!, options))];
}

/** The busiest of the days, and the one before on which the shop was open, by ten minutes. */
export function dayOfInvoices({ seconds, rate, invoices }: VaryingOptions): VaryingLoad {
  const days = new Map<number, number[]>();
  for (const at of bookedAt(invoices)) {
    const day = Math.floor(at / DAY_MS);
    const counts = days.get(day) ?? Array.from({ length: DAY_MS / SLICE_MS }, () => 0);
    counts[Math.floor((at % DAY_MS) / SLICE_MS)]!++;
    days.set(day, counts);
  }
  const open = [...days].sort(([a], [b]) => a - b);
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  const busiest = open.slice(1).reduce((best, [, counts], i) => (total(counts) > total(open[best]![1]) ? i + 1 : best), 1);
  const [[, before], [day, counts]] = [open[busiest - 1]!, open[busiest]!];
  const about = `${new Date(day * DAY_MS).toISOString().slice(0, 10)}, ${total(counts)} invoices, a day in ${seconds} s`;
  return loadOf('invoices', about, counts, before, SLICE_MS, { seconds, rate });
}

/** When each was booked, by the shop's clock. */
function bookedAt(invoices: readonly Fields[]): number[] {
  return invoices.flatMap(({ rows }) => {
    const [first] = Array.isArray(rows) ? (rows as { InvoiceDate?: unknown }[]) : [];
    const at = typeof first?.InvoiceDate === 'string' ? Date.parse(`${first.InvoiceDate.replace(' ', 'T')}Z`) : Number.NaN;
    return Number.isNaN(at) ? [] : [at];
  });
}

/**
 * Chosen by rule: of the half of the functions whose minutes tell the next the most, the one that varies the most in the minutes kept for judging; and
 * the same of the other half.
 */
export function burstyFunctions(functions: readonly FunctionCounts[]): readonly [FunctionCounts, FunctionCounts] {
  const sorted = [...functions].sort((a, b) => lag1Autocorrelation(b.perMinute) - lag1Autocorrelation(a.perMinute));
  const half = Math.ceil(sorted.length / 2);
  const mostVaried = (of: readonly FunctionCounts[]): FunctionCounts =>
    of.reduce((best, one) => (variation(tested(one)) > variation(tested(best)) ? one : best));
  return [mostVaried(sorted.slice(0, half)), mostVaried(sorted.slice(half))];
}

const tested = ({ perMinute }: FunctionCounts): readonly number[] => perMinute.slice(...SPLITS.test);

function variation(counts: readonly number[]): number {
  const centre = mean(counts);
  return centre === 0 ? 0 : Math.sqrt(mean(counts.map((count) => (count - centre) ** 2))) / centre;
}

/** Of the minutes kept for judging the stretch that varies the most among those with work in most minutes, and the minutes just before it. */
function functionLoad(
  name: string,
  { id, perMinute }: FunctionCounts,
  { seconds, rate }: Pick<VaryingOptions, 'seconds' | 'rate'>,
): VaryingLoad {
  const minutes = Math.max(2, Math.round((seconds * 1000) / MINUTE_TAKES_MS));
  const [from, to] = SPLITS.test;
  const starts = Array.from({ length: to - from - minutes + 1 }, (_, i) => from + i);
  const stretch = (at: number): readonly number[] => perMinute.slice(at, at + minutes);
  const busy = starts.filter((at) => stretch(at).filter((count) => count > 0).length >= minutes / 2 && sum(stretch(at - minutes)) > 0);
  const start = (busy.length > 0 ? busy : starts).reduce((best, at) => (variation(stretch(at)) > variation(stretch(best)) ? at : best));
  const about = `function ${id.slice(0, 8)}, minutes ${start} to ${start + minutes}, a minute in ${MINUTE_TAKES_MS / 1000} s`;
  return loadOf(name, about, stretch(start), stretch(start - minutes), MINUTE_MS, { seconds, rate });
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

const peakOf = (counts: readonly number[]): number => Math.max(...counts) / mean(counts);

function loadOf(
  name: string,
  about: string,
  counts: readonly number[],
  before: readonly number[],
  intervalMs: number,
  { seconds, rate }: { readonly seconds: number; readonly rate: number },
): VaryingLoad {
  const speed = (counts.length * intervalMs) / (seconds * 1000);
  const profile = (of: readonly number[]): RateProfile =>
    withMeanRate(warp(profileOfCounts(of, { intervalMs, interpolation: 'step' }), speed), rate);
  return {
    name,
    about,
    trace: rateTrace(name, profile(counts), 'poisson'),
    before: rateTrace(`before ${name}`, profile(before), 'poisson'),
    beforeAgain: (durationMs) => rateTrace(`before ${name}, again`, lasting(profile(before), durationMs), 'poisson'),
    lag1: lag1Autocorrelation(counts),
    peak: peakOf(counts),
    peakBefore: peakOf(before),
  };
}
