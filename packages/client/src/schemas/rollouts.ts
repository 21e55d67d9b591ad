import { z } from 'zod';
import { Limit, pageOf, PipelineName, Reason, Timestamp, VersionName } from './common.js';
import { InFlight } from './pipelines.js';

const Interval = { estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() };

/** What was shown by then: a bound that is null is not known yet. Gains, shares and ratios are of 1. */
const Judgement = z
  .looseObject({
    verdict: z.enum(['continue', 'promote', 'roll-back']),
    reasons: z.array(z.string()),
    gain: z.object(Interval).exactOptional(),
    guardrails: z.array(z.object({ name: z.string(), state: z.enum(['holds', 'open', 'breached']), margin: z.number(), ...Interval })),
    sampleRatio: z.object({ expected: z.number(), observed: z.number(), mismatch: z.boolean() }),
    records: z.object({ candidate: z.number(), control: z.number() }),
    blocks: z.int(),
    detectable: z.number().exactOptional(),
  })
  .meta({ id: 'Judgement' });
/** `paired`: against the control group; `full`: of the present step, a slice of the candidate against the holdout, which is as large. */
const Judgements = z.object({ paired: Judgement.exactOptional(), full: Judgement.exactOptional() }).meta({ id: 'Judgements' });

const MarginOf = {
  dead: z.number().min(0).max(1),
  errors: z.number().min(0).max(1),
  /** Null: no guardrail. To show a p99 to hold takes some thousand records of either arm where it is far better, and fifty thousand where it is the same. */
  p95: z.number().min(0).max(10).nullable(),
  p99: z.number().min(0).max(10).nullable(),
  cost: z.number().min(0).max(10),
};
const Margins = z.object(MarginOf);
const SomeMargins = z.strictObject({
  dead: MarginOf.dead.exactOptional(),
  errors: MarginOf.errors.exactOptional(),
  p95: MarginOf.p95.exactOptional(),
  p99: MarginOf.p99.exactOptional(),
  cost: MarginOf.cost.exactOptional(),
});
const Percent = z.number().positive().max(100);
const Ms = z
  .int()
  .min(100)
  .max(30 * 86_400_000);

const RolloutSettings = z.object({
  steps: z.array(z.number()),
  holdoutPercent: z.number(),
  periodMs: z.number(),
  blockMs: z.number(),
  warmupMs: z.number(),
  maximumMs: z.number(),
  metric: z.enum(['cost', 'latency']),
  alpha: z.number(),
  minimumRecords: z.number(),
  minimumBlocks: z.number(),
  margins: Margins,
  shadowRecords: z.number(),
});

const ShadowReport = z
  .object({
    compared: z.int(),
    different: z.int(),
    notComparable: z.int(),
    unanswered: z.array(z.object({ function: z.string(), records: z.int() })),
    differences: z.array(
      z.object({ key: z.string(), function: z.string().exactOptional(), field: z.string().exactOptional(), what: z.string() }),
    ),
  })
  .meta({ id: 'ShadowReport' });

/** From its start to its end; money in US dollars. */
export const Rollout = z
  .object({
    id: z.string(),
    pipeline: PipelineName,
    version: VersionName,
    baseline: VersionName,
    /** AutoFlow started it by itself, and goes as far as the autonomy of the pipeline lets it. */
    own: z.boolean(),
    actor: z.string(),
    reason: z.string(),
    settings: RolloutSettings,
    state: z.enum(['starting', 'shadow', 'warming', 'canary', 'promoted', 'rolled-back', 'aborted', 'superseded', 'failed']),
    paused: z.boolean(),
    /** Of the canary; a percentage of the traffic outside the holdout. */
    steps: z.array(z.object({ percent: z.number(), from: Timestamp, to: Timestamp.exactOptional() })),
    shadow: ShadowReport.exactOptional(),
    judgement: Judgements.exactOptional(),
    /** What the candidate did in the whole canary: its records, their share of all, its dead; what it cost, and how much more than the baseline would have. */
    harm: z.object({ records: z.number(), share: z.number(), dead: z.number(), costUsd: z.number(), extraUsd: z.number() }).exactOptional(),
    /** Why it ended as it did. */
    outcome: z.string().exactOptional(),
    createdAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'Rollout' });
export type Rollout = z.infer<typeof Rollout>;
export const RolloutList = pageOf(Rollout).meta({ id: 'RolloutList' });

/** With its evaluations, newest first. */
export const RolloutDetail = Rollout.extend({
  evaluations: z.array(
    z.object({ number: z.int(), at: Timestamp, percent: z.number(), decision: z.string(), reason: z.string(), judgement: Judgements }),
  ),
}).meta({ id: 'RolloutDetail' });
export type RolloutDetail = z.infer<typeof RolloutDetail>;

/** What is left out is as usual: 5, 25, 50, 100 %, a holdout of 5 %, an evaluation each minute, cost, the guardrails of the documentation. */
export const NewRollout = z
  .strictObject({
    version: VersionName,
    steps: z.array(Percent).min(1).max(20).exactOptional(),
    holdoutPercent: z.number().min(0).max(50).exactOptional(),
    periodMs: Ms.exactOptional(),
    /** Default: half a period. */
    warmupMs: z.int().min(0).max(86_400_000).exactOptional(),
    maximumMs: Ms.exactOptional(),
    metric: z.enum(['cost', 'latency']).exactOptional(),
    minimumRecords: z.int().min(1).max(10_000_000).exactOptional(),
    margins: SomeMargins.exactOptional(),
    /** Recorded records to replay before any traffic. */
    shadowRecords: z.int().min(1).max(100_000).exactOptional(),
    /** No shadow: whoever asks for it is certain of the outputs. */
    skipShadow: z.boolean().exactOptional(),
    reason: Reason.exactOptional(),
  })
  .refine(({ steps = [] }) => steps.every((percent, at) => at === 0 || percent > steps[at - 1]!), {
    message: 'steps ascend',
    path: ['steps'],
  })
  .refine(({ steps, holdoutPercent }) => holdoutPercent !== 0 || (steps !== undefined && steps.every((percent) => percent <= 50)), {
    message: 'above 50 % the holdout is what the candidate is compared with: it needs one',
    path: ['holdoutPercent'],
  })
  .meta({ id: 'NewRollout' });
export type NewRollout = z.input<typeof NewRollout>;

export const RolloutAction = z.strictObject({ reason: Reason.exactOptional() }).meta({ id: 'RolloutAction' });
/** `inFlight`: what is under way on the candidate ends on it (`finish`, the default), or is taken back and runs again on the stable version (`abort`). */
export const RollBackRollout = z
  .strictObject({ reason: Reason.exactOptional(), inFlight: z.enum(['finish', 'abort']).default('finish') })
  .meta({ id: 'RollBackRollout' });
export type RollBackRollout = z.input<typeof RollBackRollout>;
/** `inFlight`: what becomes of the batches of the candidate, where they were to be aborted. */
export const RolledBack = Rollout.extend({ inFlight: InFlight.exactOptional() }).meta({ id: 'RolledBack' });
export type RolledBack = z.infer<typeof RolledBack>;
export const RolloutsQuery = z.strictObject({ limit: Limit, cursor: z.string().max(100).exactOptional() });
