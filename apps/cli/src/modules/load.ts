import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildRelease } from '@autoflow/function-host/release';
import { type AnyPipeline, type Fields, pipelinesIn } from '@autoflow/pipeline';
import type { Fake } from '@autoflow/pipeline/testing';
import { CliError } from '../errors.js';

/** What a module offers to `test` and `check`. */
export interface PipelineModule {
  readonly pipelines: readonly AnyPipeline[];
  /** Input records (`export const samples`), of the one pipeline that the module exports. */
  readonly samples?: readonly Fields[];
  /** Stand-ins for resources (`export const fakes`): a list, or a function that makes fresh ones. */
  readonly fakes?: readonly Fake[] | (() => readonly Fake[]);
}

/** Loads a module as a release: what is tried here is what would be deployed, bundled the same way. */
export async function loadModule(file: string): Promise<PipelineModule> {
  const releases = await mkdtemp(join(tmpdir(), 'autoflow-'));
  try {
    const { folder } = await buildRelease(file, releases);
    const module = (await import(pathToFileURL(join(folder, 'index.mjs')).href)) as Record<string, unknown>;
    return {
      pipelines: pipelinesIn(module),
      ...samplesOf(module),
      ...(module['fakes'] !== undefined && { fakes: module['fakes'] as Fake[] }),
    };
  } finally {
    await rm(releases, { recursive: true, force: true });
  }
}

function samplesOf({ samples }: Record<string, unknown>): Pick<PipelineModule, 'samples'> {
  if (samples === undefined) return {};
  if (!Array.isArray(samples) || samples.length === 0)
    throw new CliError('SAMPLES_INVALID', 'The export `samples` is not a list of input records. Export a few, one of every kind.');
  return { samples };
}
