import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start everything on this machine and keep it up until Ctrl-C; data survives')
    .action(withContext(async (context) => (await import('../local/up.js')).up(context)));
}
