import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';

export function registerHosts(program: Command): void {
  program
    .command('hosts')
    .description('the processes of the fleet that are alive')
    .action(
      withContext(async ({ out, client }) => {
        const list = await (await client()).hosts();
        const rows = list.items.map(({ host, roles, version, enforcement, startedAt, pools }) => {
          const sum = (of: (pool: (typeof pools)[number]) => number): number => pools.reduce((total, pool) => total + of(pool), 0);
          const may = sum(({ concurrency }) => concurrency);
          const run = sum(({ instances }) => instances);
          return [host, roles.join(' '), version, enforcement ?? '–', pools.length, may, run, when(startedAt)];
        });
        out.answer(list, () =>
          table(['HOST', 'ROLES', 'PROGRAM', 'MEMORY LIMIT', 'POOLS', 'MAY RUN', 'RUNNING', 'SINCE'], rows, 'No host is alive.'),
        );
      }),
    );
}
