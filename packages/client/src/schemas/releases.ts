import { z } from 'zod';
import { Limit, pageOf, PipelineName, Reason, ReleaseHash, Timestamp, VersionName } from './common.js';
import { PipelineSpec } from './pipeline-spec.js';
import { Stable } from './pipelines.js';
import { Version } from './versions.js';

/** By node: the hash of the function's own code and specification. */
export const FunctionHashes = z.record(z.string(), ReleaseHash).meta({ id: 'FunctionHashes' });

/** What a bundle says of itself: `hash` of wiring and code, `bundle` of the code alone. */
export const ReleaseManifest = z
  .strictObject({
    hash: ReleaseHash,
    bundle: ReleaseHash,
    specs: z.array(PipelineSpec).min(1).max(100),
    functions: z.record(PipelineName, FunctionHashes),
  })
  .meta({ id: 'ReleaseManifest' });
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

/** `code` is one ES module, as text; both hashes are checked against it. */
export const UploadRelease = z
  .strictObject({ manifest: ReleaseManifest, code: z.string().min(1), sourceMap: z.string().exactOptional() })
  .meta({ id: 'UploadRelease' });
export type UploadRelease = z.input<typeof UploadRelease>;

/** `created`: it was not there before. */
export const UploadedRelease = z
  .object({ hash: ReleaseHash, created: z.boolean(), bytes: z.int(), pipelines: z.array(PipelineName) })
  .meta({ id: 'UploadedRelease' });
export type UploadedRelease = z.infer<typeof UploadedRelease>;

/**
 * Makes an uploaded release the one that new executions of the pipeline get; `hold` registers it only. `plan`: keep the stable version's
 * topology, envelope and allocation if the wiring is the same (default), or start as written. `dryRun` says what would happen, also of
 * a release that is not uploaded, of which it takes the manifest.
 */
export const DeployRelease = z
  .strictObject({
    release: ReleaseHash,
    plan: z.enum(['keep', 'as-written']).default('keep'),
    hold: z.boolean().default(false),
    dryRun: z.boolean().default(false),
    manifest: ReleaseManifest.exactOptional(),
    reason: Reason.exactOptional(),
  })
  .meta({ id: 'DeployRelease' });
export type DeployRelease = z.input<typeof DeployRelease>;

/** `version` is missing where a dry run would make a new one. `stable`: new executions get it; `before`: what they got until then. */
export const Deployment = z
  .object({
    pipeline: PipelineName,
    release: ReleaseHash,
    dryRun: z.boolean(),
    plan: z.enum(['kept', 'as-written']),
    /** Why that plan. */
    why: z.string(),
    version: Version.exactOptional(),
    created: z.boolean(),
    stable: z.boolean(),
    before: Stable.exactOptional(),
    functions: z.array(z.object({ node: z.string(), change: z.enum(['same', 'changed', 'new']) })),
  })
  .meta({ id: 'Deployment' });
export type Deployment = z.infer<typeof Deployment>;

/** `functions` is missing for a release that was registered without its code; `versions` are those made of it, oldest first. */
export const ReleaseSummary = z
  .object({
    hash: ReleaseHash,
    createdAt: Timestamp,
    stable: z.boolean(),
    versions: z.array(VersionName),
    functions: FunctionHashes.exactOptional(),
  })
  .meta({ id: 'ReleaseSummary' });
export type ReleaseSummary = z.infer<typeof ReleaseSummary>;
export const ReleaseList = pageOf(ReleaseSummary).meta({ id: 'ReleaseList' });
export const ReleasesQuery = z.strictObject({ limit: Limit, cursor: ReleaseHash.exactOptional() });
export const Release = z.object({ ...ReleaseSummary.shape, spec: PipelineSpec }).meta({ id: 'Release' });
export type Release = z.infer<typeof Release>;
