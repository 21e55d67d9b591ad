import { AUTONOMY, freezeProblems } from '@autoflow/topology/autonomy';
import { z } from 'zod';
import { PipelineName, Reason, Timestamp, VersionName } from './common.js';
import { ControlSettings } from './control.js';
import { TrainingOrder } from './trainings.js';

export const AutonomyName = z.enum(AUTONOMY);
const FREEZE = { window: z.string().max(100), timeZone: z.string().max(100) };
export const Freeze = z.object(FREEZE).meta({ id: 'Freeze' });
export type Freeze = z.infer<typeof Freeze>;
export const Objective = z
  .strictObject({ minimise: z.enum(['cost', 'latency']), p99Ms: z.number().positive().max(86_400_000).exactOptional() })
  .meta({ id: 'Objective' });

/**
 * Of optimizations that the schedule or an expired decision has begun. `auto`: a learner for each live worker with the role `learner`, none where
 * there is none.
 */
export const OwnTraining = z.union([z.enum(['auto', 'off']), TrainingOrder]).meta({ id: 'OwnTraining' });

/** How far AutoFlow may go with the pipeline by itself. Revision 0: nobody has said anything yet. */
export const OperationSettings = z
  .object({
    pipeline: PipelineName,
    revision: z.int(),
    autonomy: AutonomyName,
    freezes: z.array(Freeze),
    pinned: VersionName.exactOptional(),
    objective: Objective.exactOptional(),
    optimizeEvery: z.string().exactOptional(),
    optimizeTraining: OwnTraining,
    /** Of what AutoFlow's own canaries of 30 days cost together beyond what they are compared with. */
    spendCapUsd: z.number().exactOptional(),
    /** A canary that is proved waits so long for a person, then it is taken back; default 7. */
    approvalDays: z.number().exactOptional(),
    /** Of memory and instances; without it, `shadow`. */
    control: ControlSettings.exactOptional(),
    /** The freeze that holds now. */
    frozen: z.object({ ...Freeze.shape, until: Timestamp }).exactOptional(),
    actor: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    updatedAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'OperationSettings' });
export type OperationSettings = z.infer<typeof OperationSettings>;

/** `Fri 16:00 - Mon 08:00`, every week, by the clocks of the time zone (default UTC). */
const NewFreeze = z.strictObject({ ...FREEZE, timeZone: FREEZE.timeZone.default('UTC') }).check(({ value, issues }) => {
  for (const { pointer, message } of freezeProblems(value))
    issues.push({ code: 'custom', path: [pointer.slice(1)], message, input: value });
});

/** What is left out stays; null takes it away (autonomy goes back to `suggest`). */
export const ChangeSettings = z
  .strictObject({
    autonomy: AutonomyName.nullable().exactOptional(),
    freezes: z.array(NewFreeze).max(20).nullable().exactOptional(),
    pinned: VersionName.nullable().exactOptional(),
    objective: Objective.nullable().exactOptional(),
    /** A better version is searched for so often: from a minute on. */
    optimizeEvery: z
      .string()
      .regex(/^[1-9][0-9]{0,3}[mhd]$/, 'a span of time is a number with m, h or d, such as 30m or 1h')
      .nullable()
      .exactOptional(),
    optimizeTraining: OwnTraining.nullable().exactOptional(),
    spendCapUsd: z.number().min(0).max(1e9).nullable().exactOptional(),
    approvalDays: z.number().positive().max(365).nullable().exactOptional(),
    control: ControlSettings.nullable().exactOptional(),
    reason: Reason,
  })
  .refine(({ reason: _, ...change }) => Object.keys(change).length > 0, 'changes nothing: give at least one setting')
  .meta({ id: 'ChangeSettings' });
export type ChangeSettings = z.input<typeof ChangeSettings>;
