import { testPipeline, type BatchSize, type OutcomeOf } from '@autoflow/pipeline/testing';
import type { AnyPipeline } from '@autoflow/pipeline';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { table } from '../output.js';
import { loadModule, type PipelineModule } from './load.js';
import { locateModules, type LocatedModule } from './locate.js';

export type Sizes = readonly [BatchSize, ...BatchSize[]];

interface Tried {
  readonly pipeline: string;
  readonly batchSizes: Sizes;
  readonly seconds: number;
  readonly outcomes: readonly OutcomeOf<AnyPipeline>[];
}

/** Outcomes must not depend on the batch size; which outcome a record has is for the module's own tests to say. */
export async function runSamples({ out, project }: Context, { batchSizes }: { batchSizes: Sizes }, name?: string): Promise<void> {
  const tried: Tried[] = [];
  for (const module of locateModules(name, 'all', await project())) tried.push(await tryModule(module, batchSizes));
  out.answer(name === undefined ? tried : tried[0], () => tried.map(text).join('\n\n'));
}

async function tryModule({ name, file }: LocatedModule, batchSizes: Sizes): Promise<Tried> {
  const { pipeline, samples, fakes } = ready(await loadModule(file), name);
  const started = performance.now();
  const outcomes = await testPipeline(pipeline, samples, { batchSizes, ...(fakes !== undefined && { fakes }) }).catch((error: Error) => {
    throw new CliError('TEST_FAILED', error.message);
  });
  return { pipeline: pipeline.name, batchSizes, seconds: (performance.now() - started) / 1000, outcomes };
}

function text({ pipeline, batchSizes, seconds, outcomes }: Tried): string {
  const rows = outcomes.map((outcome) => [
    outcome.key,
    outcome.state,
    outcome.state === 'completed'
      ? JSON.stringify(outcome.output)
      : outcome.state === 'filtered'
        ? `${outcome.by}: ${outcome.reason}`
        : `${outcome.in}: ${outcome.code} ${outcome.message}`,
  ]);
  return `${table(['RECORD', 'OUTCOME', 'WITH'], rows)}\n\n${outcomes.length} samples of ${pipeline}, the same at batch sizes ${batchSizes.join(', ')}, in ${seconds.toFixed(1)} s — no Temporal, no Postgres`;
}

function ready({ pipelines, samples, fakes }: PipelineModule, name: string) {
  const [pipeline, ...others] = pipelines;
  if (pipeline === undefined || others.length > 0)
    throw new CliError(
      'ONE_PIPELINE',
      `${name} exports ${pipelines.length} pipelines; its samples are for one. Export one pipeline per module.`,
    );
  if (samples === undefined)
    throw new CliError('SAMPLES_MISSING', `${name} exports no samples. Export a few input records: export const samples = [ … ].`);
  return { pipeline, samples, fakes };
}
