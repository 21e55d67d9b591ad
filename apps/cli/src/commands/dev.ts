import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('keep a local stack up, and deploy the modules of the project at every save')
    .action(withContext(async (context) => (await import('../local/dev.js')).dev(context)));
}
