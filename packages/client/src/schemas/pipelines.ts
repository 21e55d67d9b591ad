import { z } from 'zod';
import { Limit, pageOf, PipelineName, Reason, ReleaseHash, Timestamp, VersionName } from './common.js';
import { PipelineSpec } from './pipeline-spec.js';
import { OperationSettings } from './settings.js';
import { NewAllocation, NewEnvelope, NewTopology, Stage } from './topology.js';
import { Version } from './versions.js';

export const Stable = z.object({ version: VersionName, release: ReleaseHash, revision: z.int() }).meta({ id: 'Stable' });
export type Stable = z.infer<typeof Stable>;

/** What became of the batches of the version before. */
export const InFlight = z
  .object({ version: VersionName, aborted: z.int(), finishing: z.int(), because: z.string().exactOptional() })
  .meta({ id: 'InFlight' });
export const PipelineSummary = z.object({ name: PipelineName, stable: Stable, createdAt: Timestamp }).meta({ id: 'PipelineSummary' });
export type PipelineSummary = z.infer<typeof PipelineSummary>;
export const PipelineList = pageOf(PipelineSummary).meta({ id: 'PipelineList' });
export const PipelinesQuery = z.strictObject({ limit: Limit, cursor: PipelineName.exactOptional() });

/** `spec` is that of the stable release. The ETag is the revision of the settings. */
export const Pipeline = z.object({ ...PipelineSummary.shape, spec: PipelineSpec, settings: OperationSettings }).meta({ id: 'Pipeline' });
export type Pipeline = z.infer<typeof Pipeline>;

/** Registers a release; without a topology, as written. The first version of a pipeline becomes its stable one. */
export const RegisterPipeline = z
  .strictObject({
    spec: PipelineSpec,
    release: ReleaseHash,
    topology: NewTopology.optional(),
    envelope: NewEnvelope.optional(),
    allocation: NewAllocation.optional(),
    reason: Reason.exactOptional(),
  })
  .meta({ id: 'RegisterPipeline' });
export type RegisterPipeline = z.input<typeof RegisterPipeline>;

/** `created`: this version did not exist before. Registering the same again answers the version there is. */
export const Registered = z.object({ version: Version, created: z.boolean() }).meta({ id: 'Registered' });
export type Registered = z.infer<typeof Registered>;

/**
 * `notices`: what the change was made in spite of, a freeze or a pin, and the rollout that it has ended. `inFlight`: what becomes of the batches of the version before, where they
 * were to be aborted.
 */
export const StableSet = z
  .object({ ...Stable.shape, notices: z.array(z.string()), inFlight: InFlight.exactOptional() })
  .meta({ id: 'StableSet' });
export type StableSet = z.infer<typeof StableSet>;

/**
 * By `release`: the version of it that was stable last, or its newest if none was. `inFlight`: what is under way on the version before ends on it
 * (`finish`, the default), or is taken back and runs again on this one (`abort`).
 */
export const SetStable = z
  .strictObject({
    version: VersionName.exactOptional(),
    release: ReleaseHash.exactOptional(),
    reason: Reason,
    inFlight: z.enum(['finish', 'abort']).default('finish'),
  })
  .refine(({ version, release }) => (version === undefined) !== (release === undefined), {
    message: 'give a version or a release, not both',
    path: ['version'],
  })
  .meta({ id: 'SetStable' });
export type SetStable = z.input<typeof SetStable>;

export const GraphQuery = z.strictObject({ version: VersionName.exactOptional() });

/** The graph as written (`nodes`, by their inputs) and as run (`stages`, by `after`). */
export const Graph = z
  .object({
    pipeline: PipelineName,
    version: VersionName,
    nodes: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        effect: z.string(),
        inputs: z.array(z.string()),
        reads: z.array(z.string()),
        writes: z.array(z.string()),
        uses: z.array(z.string()),
        stage: z.string(),
      }),
    ),
    stages: z.array(Stage),
    /** The graph as run, as a Mermaid flowchart. */
    mermaid: z.string(),
  })
  .meta({ id: 'Graph' });
export type Graph = z.infer<typeof Graph>;
