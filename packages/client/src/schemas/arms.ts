import { z } from 'zod';
import { Reason, VersionName } from './common.js';

/** A share of the traffic, from 0 to 1 in steps of 1/10,000. */
const ArmShare = z.strictObject({ version: VersionName, share: z.number().min(0).max(1) }).meta({ id: 'ArmShare' });

/** Which versions new records get, by the hash of their keys. Stable gets what the others leave; its pointer has a revision of its own. */
export const Arms = z
  .object({
    stable: z.object({ version: VersionName, revision: z.int() }),
    candidate: ArmShare.exactOptional(),
    /**
     * A slice that fills its batches by itself, as large as what it is compared with: of the stable version, beside a candidate, or beside a holdout
     * where there is no candidate; of the candidate, beside the holdout, where it has more than half.
     */
    control: ArmShare.exactOptional(),
    holdout: ArmShare.exactOptional(),
    revision: z.int(),
    feedingPaused: z.boolean(),
  })
  .meta({ id: 'Arms' });
export type Arms = z.infer<typeof Arms>;

/** Paused, records are accepted and wait; what is under way goes on. */
export const SetFeeding = z.strictObject({ paused: z.boolean(), reason: Reason }).meta({ id: 'SetFeeding' });
export type SetFeeding = z.input<typeof SetFeeding>;

/** What is left out gets no traffic. */
export const SetArms = z
  .strictObject({ candidate: ArmShare.exactOptional(), holdout: ArmShare.exactOptional(), reason: Reason })
  .refine(
    ({ candidate, holdout }) => (candidate?.share ?? 0) + (holdout?.share ?? 0) <= 1,
    'candidate and holdout share more than everything',
  )
  .meta({ id: 'SetArms' });
export type SetArms = z.input<typeof SetArms>;
