import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerWhy(program: Command): void {
  program
    .command('why <pipeline> <key>')
    .description('why a record has no outcome yet: which queue, which limit, since when')
    .option('--scope <name>', 'default: live')
    .action(
      withContext<{ readonly scope?: string }>(async ({ out, ingestClient }, { scope }, pipeline = '', key = '') => {
        const why = await (await ingestClient()).records.why(pipeline, key, scope);
        out.answer(why, () => why.text);
      }),
    );
}
