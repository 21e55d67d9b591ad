import { type Command, InvalidArgumentError } from 'commander';
import { withContext } from '../context.js';
import type { Sizes } from '../modules/run-samples.js';

export function registerTest(program: Command): void {
  program
    .command('test [module]')
    .description(
      'run the `samples` that a module exports (none named: those of the project) through its pipeline, with its `fakes`, at several batch sizes; no Temporal, no Postgres',
    )
    .option('--batch-sizes <list>', 'numbers and `all`', sizes, [1, 7, 'all'] as Sizes)
    .action(withContext<{ batchSizes: Sizes }>(async (...given) => (await import('../modules/run-samples.js')).runSamples(...given)));
}

function sizes(text: string): Sizes {
  const list = text.split(',').map((size) => (size.trim() === 'all' ? 'all' : Number(size)));
  if (list.some((size) => size !== 'all' && (!Number.isInteger(size) || size < 1)))
    throw new InvalidArgumentError('It is a list such as 1,7,all.');
  return list as unknown as Sizes;
}
