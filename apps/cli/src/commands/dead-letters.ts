import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface ListOptions {
  readonly scope?: string;
  readonly code?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export function registerDeadLetters(program: Command): void {
  const letters = program.command('dead-letters').description('records that died, with their errors');

  letters
    .command('list <pipeline>')
    .description('newest first')
    .option('--scope <name>', 'this one only')
    .option('--code <code>', 'such as RATE_UNKNOWN')
    .option('--limit <n>', 'at most so many', positive, 100)
    .option('--cursor <next>', 'go on behind the page before')
    .action(
      withContext<ListOptions>(async ({ out, client }, options, pipeline = '') => {
        const page = await (await client()).deadLetters.list(pipeline, options);
        const rows = page.items.map(({ id, key, scope, version, in: node, code, message, diedAt }) => [
          id,
          key,
          scope,
          version,
          node,
          code,
          message,
          when(diedAt),
        ]);
        out.answer(
          page,
          () =>
            table(['ID', 'KEY', 'SCOPE', 'VERSION', 'IN', 'CODE', 'MESSAGE', 'DIED'], rows, 'No dead letters.') +
            (page.next === undefined ? '' : `\nmore: --cursor ${page.next}`),
        );
      }),
    );

  letters
    .command('show <pipeline> <id>')
    .description('one dead letter with its record')
    .option('--reveal', 'with the values of sensitive fields (admins; told of in an event)')
    .action(
      withContext<{ reveal?: true }>(async ({ out, client }, { reveal }, pipeline = '', id = '') => {
        const letter = await (await client()).deadLetters.show(pipeline, id, { reveal });
        out.answer(
          letter,
          () =>
            `${letter.key} died in ${letter.in} on ${letter.version} at ${when(letter.diedAt)}\n${letter.code}: ${letter.message}\n${JSON.stringify(letter.record, undefined, 2)}`,
        );
      }),
    );
}
