import { z } from 'zod';
import { Limit, pageOf, Reason, ReleaseHash, Timestamp, VersionName } from './common.js';
import { Metrics } from './metrics.js';
import { Estimate, Predicted } from './what-if.js';
import { Envelope, NewAllocation, NewEnvelope, NewTopology, Topology } from './topology.js';

/** `stable`: new executions get it. */
export const Version = z
  .object({
    name: VersionName,
    hash: z.string(),
    release: ReleaseHash,
    stable: z.boolean(),
    topology: Topology,
    envelope: Envelope,
    parent: VersionName.exactOptional(),
    author: z.string(),
    note: z.string().exactOptional(),
    /** Of a version that an optimizer proposed: by which optimization and proposer, and what it is predicted to do at which rate. */
    proposal: z
      .object({
        optimization: z.string(),
        proposer: z.string(),
        ratePerSecond: z.number(),
        predicted: Predicted,
        gain: Estimate.exactOptional(),
      })
      .exactOptional(),
    createdAt: Timestamp,
  })
  .meta({ id: 'Version' });
export type Version = z.infer<typeof Version>;
/** `measured`: what it did on the last day on which it had traffic, beside what was predicted. `history`: what it has been, oldest first. */
export const VersionDetail = Version.extend({
  history: z.array(
    z.object({
      status: z.enum(['registered', 'shadow', 'canary', 'stable', 'retired', 'rolled-back', 'expired']),
      at: Timestamp,
      actor: z.string(),
      reason: z.string(),
    }),
  ),
  measured: Metrics.exactOptional(),
}).meta({ id: 'VersionDetail' });
export type VersionDetail = z.infer<typeof VersionDetail>;
export const VersionList = pageOf(Version).meta({ id: 'VersionList' });
/** Of a version that an optimizer proposed: every step from its parent's topology, each with the side conditions that hold. */
export const VersionCertificate = z
  .object({
    version: VersionName,
    certificate: z.looseObject({ from: z.string(), to: z.string(), steps: z.array(z.looseObject({ step: z.looseObject({}) })) }),
  })
  .meta({ id: 'VersionCertificate' });
export type VersionCertificate = z.infer<typeof VersionCertificate>;
export const VersionsQuery = z.strictObject({ limit: Limit, cursor: VersionName.exactOptional() });

/** Proposes a topology by hand; it is checked like any other. Defaults: stable release, widest envelope, default allocation, parent = stable. */
export const NewVersion = z
  .strictObject({
    topology: NewTopology,
    release: ReleaseHash.exactOptional(),
    envelope: NewEnvelope.optional(),
    allocation: NewAllocation.optional(),
    parent: VersionName.exactOptional(),
    note: z.string().max(1000).exactOptional(),
    reason: Reason.exactOptional(),
  })
  .meta({ id: 'NewVersion' });
export type NewVersion = z.input<typeof NewVersion>;

/** What changes when the pipeline runs as the second version and no longer as the first; `text` says it in words. */
export const VersionDiff = z
  .object({
    from: VersionName,
    to: VersionName,
    changes: z.array(z.looseObject({ kind: z.string(), text: z.string() })),
    /** Both graphs in one Mermaid flowchart: stages of class `added`, `removed` or `moved`, arrows thick where they are new and dotted where they are gone. */
    mermaid: z.string(),
  })
  .meta({ id: 'VersionDiff' });
export type VersionDiff = z.infer<typeof VersionDiff>;
