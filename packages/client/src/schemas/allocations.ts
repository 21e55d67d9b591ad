import { z } from 'zod';
import { Reason, Timestamp, VersionName } from './common.js';
import { Allocation, Envelope, NewAllocation } from './topology.js';

/** What one function host has by now. */
export const Acknowledged = z
  .object({ host: z.string(), stage: z.string(), memoryMb: z.int(), concurrency: z.int(), instances: z.int(), at: Timestamp })
  .meta({ id: 'Acknowledged' });

/** Desired memory and instances per stage, the bounds they may move in, and what the hosts have made of it. */
export const VersionAllocation = z
  .object({
    version: VersionName,
    revision: z.int(),
    stages: Allocation,
    envelope: Envelope,
    acknowledged: z.array(Acknowledged),
    actor: z.string(),
    reason: z.string(),
    updatedAt: Timestamp,
  })
  .meta({ id: 'VersionAllocation' });
export type VersionAllocation = z.infer<typeof VersionAllocation>;

/** Default version: the stable one. */
export const AllocationQuery = z.strictObject({ version: VersionName.exactOptional() });

export const SetAllocation = z.strictObject({ stages: NewAllocation, reason: Reason }).meta({ id: 'SetAllocation' });
export type SetAllocation = z.input<typeof SetAllocation>;

/** What is left out stays as it is. */
export const SetStageAllocation = z
  .strictObject({ memoryMb: z.int().exactOptional(), concurrency: z.int().exactOptional(), reason: Reason })
  .meta({ id: 'SetStageAllocation' });
export type SetStageAllocation = z.input<typeof SetStageAllocation>;
