import { testPipeline, type BatchSize } from '@autoflow/pipeline/testing';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, withContext } from '../context.js';
import { CliError } from '../errors.js';
import { loadModule, type PipelineModule } from '../modules/load.js';
import { locateModule } from '../modules/locate.js';
import { table } from '../output.js';

type Sizes = [BatchSize, ...BatchSize[]];

export function registerTest(program: Command): void {
  program
    .command('test <module>')
    .description('run the `samples` that a module exports through its pipeline, with its `fakes`, at several batch sizes; no Temporal, no Postgres')
    .option('--batch-sizes <list>', 'numbers and `all`', sizes, [1, 7, 'all'] as Sizes)
    .action(withContext<{ batchSizes: Sizes }>(test));
}

/** Outcomes must not depend on the batch size; which outcome a record has is for the module's own tests to say. */
async function test({ out }: Context, { batchSizes }: { batchSizes: Sizes }, name = ''): Promise<void> {
  const module = await loadModule(locateModule(name, 'all'));
  const { pipeline, samples, fakes } = ready(module, name);
  const started = performance.now();
  const outcomes = await testPipeline(pipeline, samples, { batchSizes, ...(fakes !== undefined && { fakes }) }).catch((error: Error) => {
    throw new CliError('TEST_FAILED', error.message);
  });
  const seconds = (performance.now() - started) / 1000;
  out.answer({ pipeline: pipeline.name, batchSizes, seconds, outcomes }, () => {
    const rows = outcomes.map((outcome) => [outcome.key, outcome.state, outcome.state === 'completed' ? JSON.stringify(outcome.output) : outcome.state === 'filtered' ? `${outcome.by}: ${outcome.reason}` : `${outcome.in}: ${outcome.code} ${outcome.message}`]);
    return `${table(['RECORD', 'OUTCOME', 'WITH'], rows)}\n\n${outcomes.length} samples of ${pipeline.name}, the same at batch sizes ${batchSizes.join(', ')}, in ${seconds.toFixed(1)} s — no Temporal, no Postgres`;
  });
}

function ready({ pipelines, samples, fakes }: PipelineModule, name: string) {
  const [pipeline, ...others] = pipelines;
  if (pipeline === undefined || others.length > 0) throw new CliError('ONE_PIPELINE', `${name} exports ${pipelines.length} pipelines; its samples are for one. Export one pipeline per module.`);
  if (samples === undefined) throw new CliError('SAMPLES_MISSING', `${name} exports no samples. Export a few input records: export const samples = [ … ].`);
  return { pipeline, samples, fakes };
}

function sizes(text: string): Sizes {
  const list = text.split(',').map((size) => (size.trim() === 'all' ? 'all' : Number(size)));
  if (list.some((size) => size !== 'all' && (!Number.isInteger(size) || size < 1))) throw new InvalidArgumentError('It is a list such as 1,7,all.');
  return list as Sizes;
}
