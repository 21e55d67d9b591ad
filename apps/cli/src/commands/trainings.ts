import { writeFile } from 'node:fs/promises';
import type { Training } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { percent, rate, when } from '../format.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';

export function registerTrainings(program: Command): void {
  const trainings = program.command('trainings').description('trainings of the resource agent, and their reward curves');

  trainings
    .command('list')
    .description('newest first')
    .action(
      withContext(async ({ out, client }) => {
        const { trainings: all } = await client();
        const items = await everyPage((page) => all.list(page));
        const rows = items.map(({ id, outcome, steps, version, createdAt }) => [id, outcome ?? 'running', steps, version, when(createdAt)]);
        out.answer(items, () => table(['TRAINING', 'STATE', 'STEPS', 'VERSION', 'SINCE'], rows, 'No trainings yet.'));
      }),
    );

  trainings
    .command('show <id>')
    .description('its reward curve: each validation, and which version was the best; that of an optimization is optimization-ID')
    .action(
      withContext(async ({ out, client }, _, id = '') => {
        const training = await (await client()).trainings.show(id);
        out.answer(training, () => {
          const rows = training.curve.map(({ steps, seconds, version, score, cost, late }) => [
            steps,
            `${seconds.toFixed(0)} s`,
            rate(score),
            rate(cost),
            percent(late),
            version === training.best?.version ? 'best' : '',
          ]);
          const { algorithm = 'a3c', data } = training.settings;
          const head = `${training.id}: ${training.outcome ?? 'running'}, ${training.steps} steps of ${algorithm}, ${dataText(data)}. Less score is better.`;
          return `${head}\n\n${table(['STEPS', 'AFTER', 'SCORE', 'COST', 'LATE', ''], rows, 'Not validated yet.')}`;
        });
      }),
    );

  trainings
    .command('export <id>')
    .description('its best version as a policy file, which a worker that controls decides by when AUTOFLOW_POLICY names it')
    .requiredOption('--to <file>', 'where to write it')
    .action(
      withContext<{ readonly to: string }>(async ({ out, client }, { to }, id = '') => {
        // Only who exports waits for it to load.
        const { floatsOf, trainedPolicy, writePolicy } = await import('@autoflow/learning');
        const { weights, ...trained } = await (await client()).trainings.parameters(id);
        await writeFile(to, writePolicy(trainedPolicy(floatsOf(Buffer.from(weights, 'base64')), trained)));
        out.answer(
          { ...trained, file: to },
          () => `${to}: version ${trained.version} of ${id}. Workers with AUTOFLOW_POLICY=${to} decide by it.`,
        );
      }),
    );
}

function dataText(data: Training['settings']['data']): string {
  if (data === undefined) return 'of what load is not known';
  return data.source === 'made-up' ? 'on made-up load' : `on the load of ${data.functions} functions`;
}
