import type { PipelineRow, VersionRow } from '@autoflow/store';

/** A version as the API answers it. */
export function presentVersion({ pipeline: _, proposal, ...version }: VersionRow, { stable }: PipelineRow) {
  return { ...version, ...(proposal && { proposal: withoutCertificate(proposal) }), stable: version.name === stable.version };
}

/** It has a resource of its own: it is long, and few read it. */
function withoutCertificate({ certificate: _, ...proposal }: NonNullable<VersionRow['proposal']>) {
  return proposal;
}
