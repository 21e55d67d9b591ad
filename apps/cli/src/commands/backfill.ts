import { setTimeout as delay } from 'node:timers/promises';
import type { AutoFlowClient, Backfill, BackfillDryRun } from '@autoflow/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, withContext } from '../context.js';
import { BadAnswerError } from '../errors.js';
import { usd } from '../format.js';
import { type Output } from '../output.js';
import { sourceOf } from './source.js';

interface BackfillOptions {
  readonly source: string;
  readonly groupBy?: string;
  readonly query?: string;
  readonly scope?: string;
  readonly version?: string;
  readonly limit?: number;
  readonly concurrency?: number;
  readonly batchRecords?: number;
  readonly rate?: number;
  readonly maxShare?: number;
  readonly skipKnown?: true;
  readonly reason?: string;
  readonly wait?: true;
  readonly dryRun?: true;
}

const POLL_MS = 500;

export function registerBackfill(program: Command): void {
  program
    .command('backfill <pipeline>')
    .description('feed a source through executions')
    .requiredOption('--source <file|secret>', 'a .csv or .jsonl file (.gz too), or secret:SOURCE_NAME of a Postgres database with --query')
    .option('--group-by <column>', 'rows of a CSV that agree here, wherever they stand, are one record')
    .option('--query <sql>', 'of a Postgres source: one row is one record')
    .option('--scope <name>', 'keys are unique within a scope (default: one of its own)')
    .option('--version <version>', 'default: the stable version of each moment')
    .option('--limit <n>', 'records at most', positive)
    .option('--concurrency <n>', 'executions open at once', positive)
    .option('--batch-records <n>', 'records per execution (default: as the version says)', positive)
    .option('--rate <n>', 'records per second at most, such as 200/s', perSecond)
    .option('--max-share <percent>', 'of the executions of an arm that may be open at once (default: 50%)', share)
    .option('--skip-known', 'leave out records whose key has an outcome in the scope live')
    .option('--reason <text>', 'for the audit log')
    .option('--wait', 'until it has ended, with progress')
    .option('--dry-run', 'only read the source, and estimate time and cost')
    .action(withContext<BackfillOptions>(backfill));
}

async function backfill(
  { out, client }: Context,
  { source, groupBy, query, wait, dryRun, ...settings }: BackfillOptions,
  pipeline = '',
): Promise<void> {
  const api = await client();
  const wanted = { source: sourceOf({ source, groupBy, query }), ...settings };
  if (dryRun) {
    const found = await api.backfills.dryRun(pipeline, wanted);
    return out.answer(found, () => estimate(found));
  }
  const started = await api.backfills.start(pipeline, wanted);
  if (!wait)
    return out.answer(
      started,
      () => `${started.id} is running in scope ${started.scope}; see autoflow backfills show ${pipeline} ${started.id}`,
    );
  out.note(`${started.id} in scope ${started.scope}; Ctrl-C leaves it running`);
  const ended = await waitFor(api, out, started);
  out.answer(ended, () => summary(ended));
  if (ended.state !== 'completed')
    throw new BadAnswerError('BACKFILL_NOT_COMPLETED', `${ended.id} is ${ended.state}: ${ended.reason ?? 'no reason was given'}.`);
}

function estimate({ records, known, invalid, seconds, costUsd, notes }: BackfillDryRun): string {
  const parts = [
    `${records.toLocaleString('en-GB')} records`,
    `${known.toLocaleString('en-GB')} already known`,
    ...(invalid > 0 ? [`${invalid.toLocaleString('en-GB')} that the release does not take`] : []),
    ...(seconds === undefined ? [] : [`about ${duration(seconds)}`]),
    ...(costUsd === undefined ? [] : [usd(costUsd)]),
  ];
  return [parts.join(' · '), ...notes.map(({ message }) => `note: ${message}`)].join('\n');
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A paused one is waited for, too. */
async function waitFor(api: AutoFlowClient, out: Output, { pipeline, id }: Backfill): Promise<Backfill> {
  const bar = out.progress();
  try {
    for (;;) {
      const now = await api.backfills.show(pipeline, id);
      const { settled, read, total = now.limit ?? read } = now.progress;
      bar.show(settled, total, `${now.state} · ${counted(now)}`);
      if (now.endedAt !== undefined) return now;
      await delay(POLL_MS);
    }
  } finally {
    bar.end();
  }
}

export function summary(backfill: Backfill): string {
  return `${backfill.id} ${backfill.state} · ${backfill.progress.settled} records · ${counted(backfill)} · scope ${backfill.scope}`;
}

export function counted({ progress: { counts } }: Backfill): string {
  return `${counts.completed} completed, ${counts.filtered} filtered, ${counts.dead} dead${counts.cancelled > 0 ? `, ${counts.cancelled} cancelled` : ''}`;
}

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number above zero.');
  return value;
}

function perSecond(text: string): number {
  const value = Number(text.replace(/\/s$/, ''));
  if (!(value > 0)) throw new InvalidArgumentError('It is a number above zero, such as 200/s.');
  return value;
}

function share(text: string): number {
  const value = Number(text.replace(/%$/, '')) / 100;
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It is a percentage above 0 and up to 100, such as 50%.');
  return value;
}
