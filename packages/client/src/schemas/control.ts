import { CONTROL_MODES } from '@autoflow/topology/autonomy';
import { z } from 'zod';
import { PipelineName, Timestamp, VersionName } from './common.js';
import { StageAllocation } from './topology.js';

/** `shadow` (the default): what would be set is decided and shown. `auto`: whoever stands better in the twin sets it, rule or agent. */
export const ControlSettings = z
  .strictObject({
    mode: z.enum(CONTROL_MODES),
    /** Between two decisions; default 15,000. */
    intervalMs: z.int().min(1_000).max(600_000).exactOptional(),
    /** Of all stages together, fleet-wide. */
    instances: z.int().min(1).max(100_000).exactOptional(),
    /** What a late record costs, in memory that the mean load keeps busy for an interval; default 20. */
    lateCost: z.number().min(1).max(1_000).exactOptional(),
  })
  .meta({ id: 'ControlSettings' });

const Score = z.object({ cost: z.number(), late: z.number(), score: z.number() });

/** What agent and fallback would have made, in the twin, of the arrivals that were observed: lower scores are better. */
export const ControlComparison = z
  .object({ at: Timestamp, intervals: z.int(), agent: Score, fallback: Score })
  .meta({ id: 'ControlComparison' });

export const DecidedStage = z
  .object({
    now: StageAllocation,
    wanted: StageAllocation,
    fallback: StageAllocation,
    reason: z.string(),
    /** Of the interval: invocations that came, that ended, that wait, and the busy share of the instances. */
    seen: z.object({ arrivals: z.number(), served: z.number(), queued: z.number(), busy: z.number() }),
  })
  .meta({ id: 'DecidedStage' });

const Mode = z.enum(['off', 'shadow', 'fallback', 'acting']);

export const ControlDecision = z
  .object({
    at: Timestamp,
    version: VersionName,
    mode: Mode,
    why: z.string(),
    /** Executions that were opened or came to wait, and became late. */
    arrived: z.number(),
    late: z.number(),
    waitingRecords: z.int(),
    stages: z.record(z.string(), DecidedStage),
    /** Of the allocation that was set. */
    revision: z.int().exactOptional(),
    refused: z.string().exactOptional(),
  })
  .meta({ id: 'ControlDecision' });
export type ControlDecision = z.infer<typeof ControlDecision>;

/** Who decides memory and instances, why, and what was decided last. `shadow`: nothing is set; `fallback`: the rule sets; `acting`: the agent does. */
export const AllocationControl = z
  .object({
    pipeline: PipelineName,
    setting: ControlSettings,
    mode: Mode,
    why: z.string(),
    /** A controller runs. */
    running: z.boolean(),
    version: VersionName.exactOptional(),
    /** The agent has beaten the fallback, by the latest comparisons. */
    agentStands: z.boolean(),
    comparisons: z.array(ControlComparison),
    /** Newest first. */
    decisions: z.array(ControlDecision),
    updatedAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'AllocationControl' });
export type AllocationControl = z.infer<typeof AllocationControl>;

/** Decisions that are shown. */
export const ControlQuery = z.strictObject({ decisions: z.coerce.number().int().min(0).max(100).default(5) });
