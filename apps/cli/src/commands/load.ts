import type { Interpolation } from '@autoflow/twin';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Context, withContext } from '../context.js';
import { BadAnswerError } from '../errors.js';
import { ms, percent, rate as perSecond, usd } from '../format.js';
import type { Histogram } from '../load/histogram.js';
import type { LoadReport } from '../load/run-load.js';
import type { Sent } from '../load/open-loop.js';
import type * as SourceRecords from '../load/source-records.js';
import { positive } from './backfill.js';
import { sourceOf } from './source.js';

interface LoadCommandOptions {
  readonly rate?: number;
  readonly trace: string;
  readonly duration?: number;
  readonly speed?: number;
  readonly interpolation: Interpolation;
  readonly source?: string;
  readonly groupBy?: string;
  readonly seed: number;
  readonly batchWindow: number;
  readonly warmUp: number;
  readonly drain: number;
  readonly connections: number;
}

export function registerLoad(program: Command): void {
  program
    .command('load <pipeline>')
    .description('send records by the clock of a trace, whatever is answered, and measure from their intended arrival')
    .option('--rate <n/s>', 'records per second, on average (default: 10, or as recorded)', rateOf)
    .option(
      '--trace <name>',
      'constant, poisson, step, sine, burst, invoices (their own times), or azure:FUNCTION of AUTOFLOW_DATA',
      'poisson',
    )
    .option('--duration <span>', 'such as 90s or 5m (default: 60s, or as recorded)', spanOf)
    .option('--speed <x>', 'of recorded traces: so many times as fast', factorOf)
    .addOption(
      new Option('--interpolation <how>', 'within the minutes of azure:FUNCTION').choices(['step', 'linear', 'noise']).default('step'),
    )
    .option('--source <file>', 'a .csv or .jsonl file (.gz too); default: generated invoices for the example')
    .option('--group-by <column>', 'rows of a CSV that agree here are one record (default for the example: InvoiceNo)')
    .option('--seed <n>', 'the same seed, the same arrivals', positive, 1)
    .option('--batch-window <ms>', 'arrivals of so many milliseconds travel in one post', positive, 5)
    .option('--warm-up <span>', 'at the start: neither rate nor latency', spanOf, 0)
    .option('--drain <span>', 'how long outcomes are waited for after the last arrival', spanOf, 60_000)
    .option('--connections <n>', 'kept alive to ingest', positive, 16)
    .action(withContext<LoadCommandOptions>(load));
}

async function load(context: Context, options: LoadCommandOptions, pipeline = ''): Promise<void> {
  const { out, env } = context;
  const [{ interruption }, { runLoad }, { traceOf }, sources] = await Promise.all([
    import('../local/interruption.js'),
    import('../load/run-load.js'),
    import('../load/trace-option.js'),
    import('../load/source-records.js'),
  ]);
  const api = await context.client();
  const ingest = await context.ingest();
  const { stable } = await api.pipelines.show(pipeline);
  const { spec } = await api.releases.show(pipeline, stable.release);
  const { about, records } = await recordsOf(options, pipeline, spec, sources);
  const trace = await traceOf({
    ...options,
    durationMs: options.duration,
    dataFolder: env['AUTOFLOW_DATA'],
    invoiceTimes: async () => sources.bookedAt(records),
  });
  out.note(`${about}; trace ${trace.name}: about ${Math.round(trace.expected)} records in ${ms(trace.durationMs)}; Ctrl-C ends it`);
  const signal = interruption('The load', out.note);
  const bar = out.progress();
  let last: Sent | undefined;
  const show = (what: string): void => {
    if (last !== undefined) bar.show(last.offered, Math.max(Math.round(trace.expected), last.offered), `${what} · ${last.accepted} accepted, ${last.refused} refused, ${last.failed} failed`); // prettier-ignore
  };
  const report = await runLoad({
    api,
    ingest: { ...ingest, pipeline },
    key: spec.key,
    records,
    trace,
    seed: options.seed,
    windowMs: options.batchWindow,
    warmUpMs: options.warmUp,
    drainMs: options.drain,
    connections: options.connections,
    signal,
    onSent: (sent) => {
      last = sent;
      show('sending');
    },
    onDraining: () => show('waiting for outcomes'),
  }).finally(() => bar.end());
  out.answer(report, () => text(report));
  if (report.interrupted)
    throw new BadAnswerError('INTERRUPTED', 'The load was ended before its trace was; the figures are of what was sent.');
  if (report.invalid.length > 0)
    throw new BadAnswerError('LOAD_INVALID', `These figures are not to be used: ${report.invalid.join('; ')}.`);
}

type Sources = Pick<typeof SourceRecords, 'generatedRecords' | 'recordsOfFile'>;

async function recordsOf(
  { source, groupBy, seed }: LoadCommandOptions,
  pipeline: string,
  spec: Parameters<Sources['recordsOfFile']>[1],
  { generatedRecords, recordsOfFile }: Sources,
) {
  if (source === undefined) return generatedRecords(pipeline, seed);
  const settings = sourceOf({ source, groupBy: groupBy ?? (pipeline === 'retail-orders' ? 'InvoiceNo' : undefined) });
  if (settings.kind === 'postgres') throw new InvalidArgumentError('Load is sent from a file, or generated.');
  return recordsOfFile(settings, spec);
}

function text(report: LoadReport): string {
  const { offeredRate, achievedRate, latency, lateness, outcomes, versions } = report;
  const lines = [
    `offered ${perSecond(offeredRate)}/s · achieved ${perSecond(achievedRate)}/s · ${report.offered} sent, ${report.accepted} accepted, ${report.refused} refused, ${report.failed} failed`,
    `latency from the intended arrival: ${latency ? summary(latency) : 'nothing ended'}`,
    `outcomes: ${outcomes.completed} completed, ${outcomes.filtered} filtered, ${outcomes.dead} dead, ${outcomes.cancelled} cancelled · backlog at the end ${report.backlog}, without an outcome ${report.unfinished}`,
    `the generator's own lateness: ${lateness ? `p99 ${ms(lateness.p99)}, max ${ms(lateness.max)}` : 'nothing was sent'} · clocks ${report.clockOffsetMs.toFixed(1)} ms apart`,
    ...versions.map(
      ({ version, records, costPer1000, utilisation }) =>
        `${version}: ${records} records · ${usd(costPer1000?.all)} per 1,000 (${usd(costPer1000?.withoutActions)} without actions) · busy ${percent(utilisation?.instances)}, memory ${percent(utilisation?.memory)}`,
    ),
    `scope ${report.scope}`,
  ];
  return lines.join('\n');
}

function summary({ p50, mean, p95, p99, max }: NonNullable<ReturnType<Histogram['summary']>>): string {
  return `p50 ${ms(p50)} · mean ${ms(mean)} · p95 ${ms(p95)} · p99 ${ms(p99)} · max ${ms(max)}`;
}

function rateOf(given: string): number {
  const value = Number(/^([0-9.]+)(\/s)?$/.exec(given)?.[1]);
  if (!(value > 0)) throw new InvalidArgumentError('It is a number of records per second, such as 50/s.');
  return value;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
function spanOf(given: string): number {
  const [, number, unit] = /^([0-9.]+)(ms|s|m|h)$/.exec(given) ?? [];
  const value = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (!(value >= 0)) throw new InvalidArgumentError('It is a span of time, such as 90s or 5m.');
  return value;
}

function factorOf(given: string): number {
  const value = Number(given.replace(/^x|x$/, ''));
  if (!(value > 0)) throw new InvalidArgumentError('It is a number above zero.');
  return value;
}
