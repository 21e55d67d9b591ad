import type { IngestRecord } from '@autoflow/client';
import { type Command, Option } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface ScopeOptions {
  readonly scope?: string;
}
interface ListOptions extends ScopeOptions {
  readonly state?: IngestRecord['state'];
  readonly reason?: string;
  readonly since?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export function registerRecords(program: Command): void {
  const records = program.command('records').description('records and what became of them');

  records
    .command('list <pipeline>')
    .description('by key')
    .addOption(new Option('--state <state>', 'these only').choices(['waiting', 'running', 'completed', 'filtered', 'dead', 'cancelled']))
    .option('--reason <reason>', 'of filtered records their reason, of dead ones their code')
    .option('--since <time>', 'such as 1h: had their outcome since then, or arrived if they have none')
    .option('--scope <name>', 'default: live')
    .option('--limit <n>', 'at most so many', positive, 100)
    .option('--cursor <next>', 'go on behind the page before')
    .action(
      withContext<ListOptions>(async ({ out, ingestClient }, options, pipeline = '') => {
        const page = await (await ingestClient()).records.list(pipeline, options);
        const rows = page.items.map((record) => [record.key, record.state, record.version ?? '', when(record.arrivedAt), reasonOf(record)]);
        out.answer(
          page,
          () =>
            table(['KEY', 'STATE', 'VERSION', 'ARRIVED', 'REASON'], rows, 'No records.') +
            (page.next === undefined ? '' : `\nmore: --cursor ${page.next}`),
        );
      }),
    );

  records
    .command('show <pipeline> <key>')
    .description('one record with its output and attempts')
    .option('--scope <name>', 'default: live')
    .action(
      withContext<ScopeOptions>(async ({ out, ingestClient }, { scope }, pipeline = '', key = '') => {
        const { records } = await ingestClient();
        const [record, { items: attempts }] = await Promise.all([
          records.show(pipeline, key, scope),
          records.attempts(pipeline, key, scope),
        ]);
        const rows = attempts.map(({ stage, attempt, startedAt, durationMs, outcome, host }) => [
          stage,
          attempt,
          when(startedAt),
          `${Math.round(durationMs)} ms`,
          outcome,
          host,
        ]);
        out.answer({ ...record, attempts }, () =>
          [
            `${record.key} ${record.state}${record.version === undefined ? '' : ` on ${record.version}`}, arrived ${when(record.arrivedAt)}`,
            ...[reasonOf(record)].filter((reason) => reason !== ''),
            ...(record.output === undefined ? [] : [JSON.stringify(record.output, undefined, 2)]),
            ...(rows.length === 0 ? [] : [table(['STAGE', 'ATTEMPT', 'STARTED', 'TOOK', 'OUTCOME', 'HOST'], rows)]),
          ].join('\n'),
        );
      }),
    );

  records
    .command('cancel <pipeline> <key>')
    .description('take back a record that waits, or runs alone')
    .option('--scope <name>', 'default: live')
    .option('--reason <text>', 'for the audit log')
    .action(
      withContext<ScopeOptions & { reason?: string }>(async ({ out, ingestClient }, { scope, reason }, pipeline = '', key = '') => {
        const record = await (await ingestClient()).records.cancel(pipeline, key, scope, reason);
        out.answer(record, () => (record.state === 'running' ? `${key} is asked to end` : `${key} ${record.state}`));
      }),
    );
}

function reasonOf({ filtered, death }: IngestRecord): string {
  return filtered ? `${filtered.by}: ${filtered.reason}` : death ? `${death.code}: ${death.message}` : '';
}
