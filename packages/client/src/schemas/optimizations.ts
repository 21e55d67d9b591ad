import { z } from 'zod';
import { PipelineName, VersionName } from './common.js';
import { Span } from './metrics.js';
import { Allocation, Topology } from './topology.js';
import { Estimate, Predicted } from './what-if.js';

export const ProposerName = z.enum(['exhaustive', 'analytic', 'beam', 'annealing', 'greedy', 'random']);
export type ProposerName = z.infer<typeof ProposerName>;

/** Milliseconds that p95 or p99 may take at most. */
const Limit = z.number().positive().max(86_400_000);

/** What shall be least, and within which limits; a search for it in the twin. Default: cost, at the rate that arrives now. */
export const OptimizationQuestion = z
  .strictObject({
    dryRun: z.literal(true, { error: 'only dryRun: true is there today: nothing is rolled out from here' }),
    minimise: z.enum(['cost', 'latency']).exactOptional(),
    p95Ms: Limit.exactOptional(),
    p99Ms: Limit.exactOptional(),
    ratePerSecond: z.number().positive().max(1e6).exactOptional(),
    times: z.number().positive().max(1e4).exactOptional(),
    /** Plans that the twin is asked about, by all proposers together. Default: 2,000; the time ends it where that comes first. */
    evaluations: z.int().min(10).max(100_000).exactOptional(),
    proposers: z.array(ProposerName).min(1).exactOptional(),
    seed: z.int().min(0).max(1e9).exactOptional(),
    /** Measurements of so long are learned from. Default: a day. */
    since: Span.exactOptional(),
    /** Of the host that runs the functions; default: those of the control plane's. */
    cores: z.int().min(1).max(1024).exactOptional(),
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

export const Optimization = z
  .object({
    pipeline: PipelineName,
    /** The stable one, which a proposal would take the place of. */
    version: VersionName,
    ratePerSecond: z.number(),
    /** Absent: keep the stable version, for `reason`. */
    proposal: z
      .object({
        topology: Topology,
        allocation: Allocation,
        proposer: z.string(),
        predicted: Predicted,
        /** ln of what is minimised (and of broken limits) less that of the stable version: −0.1 is about ten per cent better. */
        gain: Estimate,
        /** Every step from the stable topology with its side conditions; checked by code that shares nothing with what made it. */
        certificate: z.looseObject({ from: z.string(), to: z.string(), steps: z.array(z.looseObject({ step: z.looseObject({}) })) }),
      })
      .exactOptional(),
    reason: z.string().exactOptional(),
    /** The stable version: as measured, and as predicted at the rate that was asked for. */
    running: z.object({ measured: Measured, predicted: Predicted.exactOptional() }),
    /** The twin's own, on the running version: (predicted − measured) / measured. */
    error: z.object({ throughput: z.number(), p95: z.number(), costPer1000: z.number().exactOptional() }),
    /** Cost × p95 × throughput: plans that no other beats in all, by cost. */
    front: z.array(Figures.extend({ topology: Topology, allocation: Allocation })),
    /** To the exact optimum of an enumerated space, or why there is none. Below 0: what was found lies outside that space and is better. */
    gap: z.union([z.object({ share: z.number(), space: Exact }), z.object({ reason: z.string() })]),
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
    notes: z.array(z.object({ code: z.string(), function: z.string().exactOptional(), message: z.string() })),
  })
  .meta({ id: 'Optimization' });
export type Optimization = z.infer<typeof Optimization>;
