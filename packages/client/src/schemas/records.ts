import { z } from 'zod';
import { Limit, OutcomeCounts, pageOf, RecordStateName, ReleaseHash, Reveal, ScopeName, Timestamp, VersionName } from './common.js';

export const RecordOutcome = z
  .object({
    scope: ScopeName,
    key: z.string(),
    state: RecordStateName,
    version: VersionName,
    release: ReleaseHash,
    batchId: z.string(),
    arrivedAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
    output: z.record(z.string(), z.unknown()).exactOptional(),
    filtered: z.object({ by: z.string(), reason: z.string() }).exactOptional(),
    death: z.object({ in: z.string(), code: z.string(), message: z.string() }).exactOptional(),
  })
  .meta({ id: 'RecordOutcome' });
export type RecordOutcome = z.infer<typeof RecordOutcome>;
export const RecordPage = pageOf(RecordOutcome).meta({ id: 'RecordPage' });
export type RecordPage = z.infer<typeof RecordPage>;

export const RecordsQuery = z.strictObject({
  reveal: Reveal,
  scope: ScopeName.exactOptional(),
  state: RecordStateName.exactOptional(),
  limit: Limit,
  cursor: z.string().max(1000).exactOptional(),
});
export const RecordQuery = z.strictObject({ scope: ScopeName.default('live'), reveal: Reveal });
export const ScopeQuery = z.strictObject({ scope: ScopeName.default('live') });

/** Equal digests mean equal outcomes: of the key, state, reason or error code and output of every record of the scope. */
export const ScopeDigest = z.object({ scope: ScopeName, digest: z.string(), counts: OutcomeCounts }).meta({ id: 'ScopeDigest' });
export type ScopeDigest = z.infer<typeof ScopeDigest>;
