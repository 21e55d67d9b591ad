import type { Command } from 'commander';
import { withContext } from '../context.js';

export function registerInit(program: Command): void {
  program
    .command('init [folder]')
    .description('write a new project: autoflow.config.ts, one pipeline, one test; its packages are links to this checkout')
    .action(
      withContext(async ({ out }, _options, folder = '.') => {
        const { initProject } = await import('../init/init.js');
        const project = initProject(folder);
        out.answer(project, () =>
          [
            `${project.folder}: ${project.files.join(' ')}`,
            'Its dependencies are links to this checkout of AutoFlow, whose packages are not published.',
            `Next: ${folder === '.' ? '' : `cd ${folder} && `}npm install && npm test && npm run dev`,
          ].join('\n'),
        );
      }),
    );
}
