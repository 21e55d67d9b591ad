import { z } from 'zod';
import { OutcomeCounts, Reason, Reveal, ScopeName } from './common.js';

export const RecordQuery = z.strictObject({ scope: ScopeName.default('live'), reveal: Reveal });
export const ScopeQuery = z.strictObject({ scope: ScopeName.default('live') });
export const CancelQuery = z.strictObject({ scope: ScopeName.default('live'), reason: Reason.exactOptional() });

/** Equal digests mean equal outcomes: of the key, state, reason or error code and output of every record of the scope. */
export const ScopeDigest = z.object({ scope: ScopeName, digest: z.string(), counts: OutcomeCounts }).meta({ id: 'ScopeDigest' });
export type ScopeDigest = z.infer<typeof ScopeDigest>;
