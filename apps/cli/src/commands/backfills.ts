import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';
import { counted, summary } from './backfill.js';

export function registerBackfills(program: Command): void {
  const backfills = program.command('backfills').description('list, show, pause, resume and cancel backfills');

  backfills
    .command('list <pipeline>')
    .description('newest first')
    .action(
      withContext(async ({ out, client }, _, pipeline = '') => {
        const { backfills: of } = await client();
        const items = await everyPage((page) => of.list(pipeline, page));
        const rows = items.map((backfill) => [
          backfill.id,
          backfill.state,
          backfill.scope,
          backfill.version ?? 'stable',
          `${backfill.progress.settled}/${backfill.progress.total ?? '?'}`,
          counted(backfill),
          when(backfill.createdAt),
        ]);
        out.answer(items, () =>
          table(['BACKFILL', 'STATE', 'SCOPE', 'VERSION', 'SETTLED', 'OUTCOMES', 'SINCE'], rows, 'No backfills yet.'),
        );
      }),
    );

  backfills
    .command('show <pipeline> <id>')
    .description('one backfill with its progress')
    .action(
      withContext(async ({ out, client }, _, pipeline = '', id = '') => {
        const backfill = await (await client()).backfills.show(pipeline, id);
        out.answer(backfill, () => summary(backfill));
      }),
    );

  for (const [action, description] of ACTIONS) {
    backfills
      .command(`${action} <pipeline> <id>`)
      .description(description)
      .option('--reason <text>', 'for the audit log')
      .action(
        withContext<{ reason?: string }>(async ({ out, client }, { reason }, pipeline = '', id = '') => {
          const backfill = await (await client()).backfills[action](pipeline, id, reason);
          out.answer(backfill, () => summary(backfill));
        }),
      );
  }
}

const ACTIONS = [
  ['pause', 'stop feeding; what is under way ends'],
  ['resume', 'feed on from where it stands'],
  ['cancel', 'end it, and what it has started'],
] as const;
