import type { PipelineRow, VersionRow } from '@autoflow/store';

/** A version as the API answers it. */
export function presentVersion({ pipeline: _, ...version }: VersionRow, { stable }: PipelineRow) {
  return { ...version, stable: version.name === stable.version };
}
