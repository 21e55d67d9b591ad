import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerFeeding(program: Command): void {
  const feeding = program.command('feeding').description('whether records of a pipeline are fed');
  action(feeding, 'pause', 'accept records and let them wait; what is under way goes on', true);
  action(feeding, 'resume', 'feed what waits', false);
}

function action(feeding: Command, name: string, description: string, paused: boolean): void {
  feeding
    .command(`${name} <pipeline>`)
    .description(description)
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ readonly reason: string }>(async ({ out, client }, { reason }, pipeline = '') => {
        const { arms } = await client();
        const { revision } = await arms.show(pipeline);
        const set = await arms.setFeeding(pipeline, { paused, reason }, revision);
        out.answer(set, () => (set.feedingPaused ? `${pipeline} is paused: records are accepted and wait` : `${pipeline} is fed`));
      }),
    );
}
