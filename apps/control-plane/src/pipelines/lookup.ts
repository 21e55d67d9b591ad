import { ProblemError } from '@autoflow/http';
import type { PipelineRow, ReleaseRow, Store, VersionRow } from '@autoflow/store';

type Definitions = Pick<Store, 'definitions'>;

export async function findPipeline({ definitions }: Definitions, name: string): Promise<PipelineRow> {
  const row = await definitions.pipeline(name);
  if (row === undefined) throw new ProblemError('PIPELINE_UNKNOWN', `There is no pipeline ${JSON.stringify(name)}.`);
  return row;
}

export async function findVersion({ definitions }: Definitions, pipeline: string, name: string): Promise<VersionRow> {
  const row = await definitions.version(pipeline, name);
  if (row === undefined) throw new ProblemError('VERSION_UNKNOWN', `${pipeline} has no version ${JSON.stringify(name)}.`);
  return row;
}

export async function findRelease({ definitions }: Definitions, pipeline: string, hash: string): Promise<ReleaseRow> {
  const row = await definitions.release(pipeline, hash);
  if (row === undefined) throw new ProblemError('RELEASE_UNKNOWN', `${pipeline} has no release ${JSON.stringify(hash)}.`);
  return row;
}
