import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { optimizationText } from '../optimizations/text.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';

export function registerOptimizations(program: Command): void {
  const optimizations = program.command('optimizations').description('list, show and cancel what `optimize` has begun');

  optimizations
    .command('list <pipeline>')
    .description('newest first')
    .action(
      withContext(async ({ out, client }, _, pipeline = '') => {
        const { optimizations: of } = await client();
        const items = await everyPage((page) => of.list(pipeline, page));
        const rows = items.map(({ id, state, version, registered, actor, reason, createdAt }) => [
          id,
          state,
          version ?? '',
          registered ?? '',
          actor,
          when(createdAt),
          reason ?? '',
        ]);
        out.answer(items, () =>
          table(['OPTIMIZATION', 'STATE', 'OF', 'REGISTERED', 'BY', 'SINCE', 'BECAUSE'], rows, 'No optimizations yet.'),
        );
      }),
    );

  optimizations
    .command('show <pipeline> <id>')
    .description('what it has found, and the reason of every decision')
    .action(
      withContext(async ({ out, client }, _, pipeline = '', id = '') => {
        const optimization = await (await client()).optimizations.show(pipeline, id);
        out.answer(optimization, () => optimizationText(optimization));
      }),
    );

  optimizations
    .command('cancel <pipeline> <id>')
    .description('end it; what it has registered stays')
    .option('--reason <text>', 'for the audit log')
    .action(
      withContext<{ reason?: string }>(async ({ out, client }, { reason }, pipeline = '', id = '') => {
        const optimization = await (await client()).optimizations.cancel(pipeline, id, reason);
        out.answer(optimization, () => `${optimization.id} is ${optimization.state}.`);
      }),
    );
}
