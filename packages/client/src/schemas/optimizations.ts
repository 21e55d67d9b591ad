import { z } from 'zod';
import { Limit as PageLimit, pageOf, PipelineName, Reason, ScopeName, Timestamp, VersionName } from './common.js';
import { Span } from './metrics.js';
import { Allocation, Topology } from './topology.js';
import { TrainingOrder } from './trainings.js';
import { Estimate, Predicted } from './what-if.js';

export const ProposerName = z.enum(['exhaustive', 'analytic', 'beam', 'annealing', 'greedy', 'random', 'gcn']);
export type ProposerName = z.infer<typeof ProposerName>;

/** Milliseconds that p95 or p99 may take at most. */
const Limit = z.number().positive().max(86_400_000);

/** What shall be least, and within which limits. Default: as the pipeline's objective says, else cost, at the rate that was measured. */
export const OptimizationQuestion = z
  .strictObject({
    /** Proposes only; default: what is proposed is registered, and rolled out as far as autonomy allows. */
    dryRun: z.boolean().exactOptional(),
    /** What is to be bettered; default: the stable version. */
    version: VersionName.exactOptional(),
    minimise: z.enum(['cost', 'latency']).exactOptional(),
    p95Ms: Limit.exactOptional(),
    p99Ms: Limit.exactOptional(),
    ratePerSecond: z.number().positive().max(1e6).exactOptional(),
    times: z.number().positive().max(1e4).exactOptional(),
    /**
     * What the guardrails of a rollout will ask is asked by the search too: that p95 is no later than that of what runs, with the load of an arm of the
     * canary, where a batch lingers that would fill at once under a full load.
     */
    rollout: z
      .strictObject({
        /** Records that arrive in a second while it is rolled out. Default: as measured. */
        ratePerSecond: z.number().positive().max(1e6).exactOptional(),
        /** p95 as a multiple of that of what runs. Default: 1; what is clearly less is shown by fewer records. */
        p95: z.number().positive().max(100).exactOptional(),
      })
      .exactOptional(),
    /** Plans that the twin is asked about, by all proposers together. Default: 2,000; the time ends it where that comes first. */
    evaluations: z.int().min(10).max(100_000).exactOptional(),
    /** Of the whole search; default: 45. */
    seconds: z.number().min(1).max(3_600).exactOptional(),
    /** US dollars that its own computing may cost at list prices, learners included. Default: no bound but those above. */
    usd: z.number().positive().max(1e6).exactOptional(),
    proposers: z.array(ProposerName).min(1).exactOptional(),
    seed: z.int().min(0).max(1e9).exactOptional(),
    /** Measurements of so long are learned from. Default: a day. */
    since: Span.exactOptional(),
    /** What the stable version did with the records of this scope is what the twin is held against; default: with all. */
    scope: ScopeName.exactOptional(),
    /** Of the host that runs the functions; default: those of the control worker's. */
    cores: z.int().min(1).max(1024).exactOptional(),
    training: TrainingOrder.exactOptional(),
    reason: Reason.exactOptional(),
  })
  .refine(({ ratePerSecond, times }) => ratePerSecond === undefined || times === undefined, {
    message: 'give ratePerSecond or times, not both',
    path: ['ratePerSecond'],
  })
  .meta({ id: 'OptimizationQuestion' });
export type OptimizationQuestion = z.input<typeof OptimizationQuestion>;

const Figures = z.object({ costPer1000: z.number(), p95Ms: z.number(), p99Ms: z.number(), throughput: z.number() });
const Exact = z.object({ plans: z.int(), by: z.enum(['twin', 'formula']) });
const Measured = z.object({
  throughput: z.number(),
  latencyMs: z.object({ mean: z.number(), p50: z.number(), p95: z.number(), p99: z.number() }),
  costPer1000: z.object({ all: z.number(), withoutActions: z.number() }).exactOptional(),
});

const Decision = z.object({
  step: z.enum(['gather', 'fit', 'propose', 'train', 'allocate', 'register', 'roll-out']),
  /** `stop`: nothing follows; it is no failure. */
  verdict: z.enum(['go-on', 'stop']),
  code: z.string().exactOptional(),
  reason: z.string(),
  /** US dollars: what its computing cost, at list prices. */
  usd: z.number().exactOptional(),
});

/** An optimization: how far it is, and the reason of every decision. */
export const Optimization = z
  .object({
    id: z.string(),
    pipeline: PipelineName,
    actor: z.string(),
    state: z.enum(['running', 'completed', 'cancelled', 'failed']),
    request: z.looseObject({ dryRun: z.boolean() }),
    decisions: z.array(Decision),
    progress: z
      .object({
        step: Decision.shape.step,
        about: z.string().exactOptional(),
        done: z.int().exactOptional(),
        of: z.int().exactOptional(),
        /** By all attempts of the step, at list prices. */
        spent: z.object({ usd: z.number(), seconds: z.number() }).exactOptional(),
      })
      .exactOptional(),
    /** The stable one when it began, which a proposal would take the place of. */
    version: VersionName.exactOptional(),
    registered: VersionName.exactOptional(),
    rollout: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    createdAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'Optimization' });
export type Optimization = z.infer<typeof Optimization>;
export const OptimizationList = pageOf(Optimization).meta({ id: 'OptimizationList' });
export const OptimizationsQuery = z.strictObject({ limit: PageLimit, cursor: z.string().max(200).exactOptional() });
export const CancelOptimization = z.strictObject({ reason: Reason.exactOptional() }).meta({ id: 'CancelOptimization' });

/** With all that its steps have found out so far. */
export const OptimizationDetail = Optimization.extend({
  ratePerSecond: z.number().exactOptional(),
  measured: Measured.exactOptional(),
  /** The twin's own, on the running version: (predicted − measured) / measured. */
  error: z.object({ throughput: z.number(), p95: z.number(), costPer1000: z.number().exactOptional() }).exactOptional(),
  /** It was measured at saturation, where latencies are not compared. */
  saturated: z.boolean().exactOptional(),
  notes: z.array(z.object({ code: z.string(), function: z.string().exactOptional(), message: z.string() })).exactOptional(),
  found: z
    .object({
      /** Absent: keep the stable version, for `reason`. */
      proposal: z
        .object({
          topology: Topology,
          allocation: Allocation,
          proposer: z.string(),
          predicted: Predicted,
          /** Carries the load within every limit that was asked for. False: nothing that was looked at does. */
          keepsLimits: z.boolean().exactOptional(),
          /** ln of what is minimised (and of broken limits) less that of the stable version: −0.1 is about ten per cent better. Absent: that cannot run in the twin. */
          gain: Estimate.exactOptional(),
          /** Every step from the stable topology with its side conditions; checked by code that shares nothing with what made it. */
          certificate: z.looseObject({ from: z.string(), to: z.string(), steps: z.array(z.looseObject({ step: z.looseObject({}) })) }),
        })
        .exactOptional(),
      reason: z.string().exactOptional(),
      /** The stable version as predicted at the rate that was asked for. */
      running: Predicted.exactOptional(),
      /** With the load of an arm of its rollout: p95 of the stable version and of the proposal, as predicted. */
      rollout: z.object({ ratePerSecond: z.number(), runningP95Ms: z.number(), p95Ms: z.number().exactOptional() }).exactOptional(),
      /** Cost × p95 × throughput: plans that no other beats in all, by cost. */
      front: z.array(Figures.extend({ topology: Topology, allocation: Allocation })),
      /**
       * Of the proposal, or of what stays: to the exact optimum of a space in which the twin was asked about every plan (below 0: it lies outside that
       * space and is better); else to the best known of a search that is stated, and why there is no optimum.
       */
      gap: z.union([
        z.object({ share: z.number(), space: Exact }),
        z.object({
          share: z.number(),
          bestKnown: z.object({ evaluations: z.int(), proposers: z.array(z.string()) }),
          reason: z.string(),
        }),
        z.object({ reason: z.string() }),
      ]),
      standing: z.array(
        z.object({
          proposer: z.string(),
          evaluations: z.int(),
          ms: z.number(),
          best: Figures.exactOptional(),
          regret: z.number().exactOptional(),
          exact: Exact.exactOptional(),
          note: z.string().exactOptional(),
        }),
      ),
      /** The best of the learned scorer: the probability that it beats what runs, and of its stages the share of the cost by formula and what was learned beyond it. */
      scored: z.array(
        z.object({
          topology: Topology,
          allocation: Allocation,
          probability: z.number(),
          predicted: z.object({ costPer1000: z.number(), p95Ms: z.number(), throughput: z.number() }),
          why: z.array(z.looseObject({})),
        }),
      ),
    })
    .exactOptional(),
  /** What the proposal starts with, if it is not what the search has judged it by, and who else was asked. */
  allocated: z
    .object({
      allocation: Allocation,
      by: z.string(),
      predicted: Predicted.exactOptional(),
      standing: z.array(
        z.object({
          allocator: z.string(),
          allocation: Allocation,
          figures: Figures.exactOptional(),
          /** Why an allocator's fallback has decided, not itself. */
          leftTo: z.string().exactOptional(),
        }),
      ),
    })
    .exactOptional(),
}).meta({ id: 'OptimizationDetail' });
export type OptimizationDetail = z.infer<typeof OptimizationDetail>;
