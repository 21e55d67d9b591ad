import { z } from 'zod';
import { Reason, Timestamp, VersionName } from './common.js';
import { Allocation, Envelope, NewAllocation } from './topology.js';

/** What one function host has by now. */
export const Acknowledged = z
  .object({ host: z.string(), stage: z.string(), memoryMb: z.int(), concurrency: z.int(), instances: z.int(), at: Timestamp })
  .meta({ id: 'Acknowledged' });

const Range = z.object({ min: z.int(), max: z.int() });

/** Desired memory and instances per stage, the bounds they may move in, and what the hosts have made of it. */
export const VersionAllocation = z
  .object({
    version: VersionName,
    revision: z.int(),
    stages: Allocation,
    envelope: Envelope,
    clamps: z.record(z.string(), z.object({ memoryMb: Range.exactOptional(), concurrency: Range.exactOptional() })),
    acknowledged: z.array(Acknowledged),
    actor: z.string(),
    reason: z.string(),
    updatedAt: Timestamp,
  })
  .meta({ id: 'VersionAllocation' });
export type VersionAllocation = z.infer<typeof VersionAllocation>;

const Bounds = z.strictObject({ min: z.int().min(1).max(65_536), max: z.int().min(1).max(65_536) });
/** An operator's bounds of one stage inside its envelope; what is left out is bounded by the envelope alone. */
export const StageClamp = z
  .strictObject({ memoryMb: Bounds.exactOptional(), concurrency: Bounds.exactOptional() })
  .meta({ id: 'StageClamp' });
export type StageClamp = z.infer<typeof StageClamp>;

/** Without bounds, the clamp is lifted. An allocation outside is moved to the nearest one inside. */
export const ClampStage = z.strictObject({ ...StageClamp.shape, reason: Reason }).meta({ id: 'ClampStage' });
export type ClampStage = z.input<typeof ClampStage>;

/** Default version: the stable one. */
export const AllocationQuery = z.strictObject({ version: VersionName.exactOptional() });

export const SetAllocation = z.strictObject({ stages: NewAllocation, reason: Reason }).meta({ id: 'SetAllocation' });
export type SetAllocation = z.input<typeof SetAllocation>;

/** What is left out stays as it is. */
export const SetStageAllocation = z
  .strictObject({ memoryMb: z.int().exactOptional(), concurrency: z.int().exactOptional(), reason: Reason })
  .meta({ id: 'SetStageAllocation' });
export type SetStageAllocation = z.input<typeof SetStageAllocation>;
