import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerDown(program: Command): void {
  program
    .command('down')
    .description('stop the local stack that runs elsewhere on this machine; data stays')
    .action(
      withContext(async ({ out, env, stack: name }) => {
        const { stopStack } = await import('@autoflow/local-stack');
        const stopped = await stopStack({ name, env });
        out.answer({ stack: name, stopped }, () => (stopped ? `stopped ${name}` : `${name} was not running`));
      }),
    );
}
