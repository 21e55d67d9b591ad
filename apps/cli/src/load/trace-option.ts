/** What `--trace` means, with `--rate`, `--duration` and `--speed`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  bursts,
  constant,
  lasting,
  profileOfCounts,
  rateTrace,
  sine,
  steps,
  timestampTrace,
  warp,
  withMeanRate,
  type Interpolation,
  type RateProfile,
  type Trace,
} from '@autoflow/twin';
import { usage } from '../errors.js';
import { readFunctions } from './azure-functions.js';

export interface TraceOptions {
  /** `constant`, `poisson`, `step`, `sine`, `burst`, `invoices`, `azure:FUNCTION`. */
  readonly trace: string;
  /** Mean, per second; undefined: that of the data at `speed`, or 10. */
  readonly rate?: number | undefined;
  /** Undefined: that of the data at `speed`, or a minute. */
  readonly durationMs?: number | undefined;
  /** Of recorded traces. */
  readonly speed?: number | undefined;
  readonly interpolation: Interpolation;
  /** Folder of AUTOFLOW_DATA. */
  readonly dataFolder?: string | undefined;
  /** Epoch milliseconds of the invoices, to the minute. */
  readonly invoiceTimes: () => Promise<readonly number[]>;
}

const MINUTE_MS = 60_000;

export async function traceOf(options: TraceOptions): Promise<Trace> {
  const { trace, rate = 10, durationMs = MINUTE_MS, speed } = options;
  if (trace === 'invoices') return invoicesTrace(options);
  if (trace.startsWith('azure:')) return rateTrace(trace, await functionProfile(options, trace.slice('azure:'.length)), 'poisson');
  if (speed !== undefined) throw usage(`--speed is for recorded traces (invoices, azure:FUNCTION); ${trace} has a --rate.`);
  switch (trace) {
    case 'constant':
      return rateTrace(trace, constant(rate, durationMs), 'even');
    case 'poisson':
      return rateTrace(trace, constant(rate, durationMs), 'poisson');
    case 'step':
      return rateTrace(trace, steps([0.5, 1, 1.5].map((share) => ({ perSecond: rate * share, durationMs: durationMs / 3 }))), 'poisson');
    case 'sine':
      return rateTrace(trace, sine({ mean: rate, amplitude: 0.8, periodMs: durationMs / 2, durationMs }), 'poisson');
    case 'burst':
      return rateTrace(trace, burstProfile(rate, durationMs), 'poisson');
    default:
      throw usage(`There is no trace '${trace}'. Choose constant, poisson, step, sine, burst, invoices, or azure:FUNCTION.`);
  }
}

/** Four bursts of five times the base rate, each a tenth of its quarter. */
function burstProfile(mean: number, durationMs: number): RateProfile {
  const [factor, share] = [5, 0.1];
  const base = mean / (1 - share + share * factor);
  return bursts({ base, factor, everyMs: durationMs / 4, burstMs: (durationMs / 4) * share, durationMs });
}

/** As the invoices were booked, so many times as fast. */
async function invoicesTrace({ rate, durationMs = Infinity, speed, invoiceTimes }: TraceOptions): Promise<Trace> {
  const times = await invoiceTimes();
  if (times.length < 2) throw usage('The invoices bear no times: the source must have the column InvoiceDate.');
  const [first, last] = times.reduce(([least, most], time) => [Math.min(least, time), Math.max(most, time)], [Infinity, -Infinity]);
  if (rate !== undefined && speed !== undefined) throw usage('--rate and --speed say the same of a recorded trace: give one of them.');
  const faster = speed ?? ((rate ?? 10) * (last - first + MINUTE_MS)) / 1000 / times.length;
  const within = times.filter((time) => (time - first) / faster < durationMs);
  return timestampTrace('invoices', within, { speed: faster, tickMs: MINUTE_MS });
}

/** Per minute of one day, a second for a minute unless told otherwise. */
async function functionProfile(
  { rate, durationMs, speed = 60, interpolation, dataFolder }: TraceOptions,
  name: string,
): Promise<RateProfile> {
  if (dataFolder === undefined || !existsSync(join(dataFolder, 'azure-functions')))
    throw usage('The functions are not here: set AUTOFLOW_DATA to the folder that holds azure-functions/invocations.csv.gz.');
  const functions = await readFunctions(dataFolder);
  const found = /^[0-9]{1,3}$/.test(name)
    ? functions.slice(Number(name), Number(name) + 1)
    : functions.filter(({ id }) => id.startsWith(name));
  if (found.length !== 1)
    throw usage(
      `${found.length === 0 ? 'None' : String(found.length)} of the ${functions.length} usable functions is ${name}. Give the beginning of its hash, or a number from 0 to ${functions.length - 1}.`,
    );
  const day = warp(profileOfCounts(found[0]!.perMinute, { intervalMs: MINUTE_MS, interpolation }), speed);
  const paced = rate === undefined ? day : withMeanRate(day, rate);
  return durationMs === undefined ? paced : lasting(paced, durationMs);
}
