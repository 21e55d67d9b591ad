import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerCheck(program: Command): void {
  program
    .command('check [module|pipeline]')
    .description('wiring, effects and reduce laws of a module (none named: of the project), or the wiring of a registered pipeline')
    .option('--mermaid', 'print the graph as a Mermaid flowchart only')
    .action(withContext<{ mermaid?: true }>(async (...given) => (await import('../modules/check.js')).check(...given)));
}
