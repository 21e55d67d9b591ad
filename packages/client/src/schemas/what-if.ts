import { z } from 'zod';
import { PipelineName, VersionName } from './common.js';
import { Span } from './metrics.js';
import { NewAllocation } from './topology.js';

/** A rate in records per second, or as a multiple of what the running version gets. */
export const WhatIfQuestion = z
  .strictObject({
    ratePerSecond: z.number().positive().max(1e6).exactOptional(),
    times: z.number().positive().max(1e4).exactOptional(),
    /** Default: the stable one. */
    version: VersionName.exactOptional(),
    /** Default: what the version has. */
    stages: NewAllocation.exactOptional(),
    /** Measurements of so long are learned from. Default: a day. */
    since: Span.exactOptional(),
    /** Of the host that runs the functions; default: those of the control plane's. */
    cores: z.int().min(1).max(1024).exactOptional(),
  })
  .refine(({ ratePerSecond, times }) => (ratePerSecond === undefined) !== (times === undefined), {
    message: 'give ratePerSecond or times, one of them',
    path: ['ratePerSecond'],
  })
  .meta({ id: 'WhatIfQuestion' });
export type WhatIfQuestion = z.input<typeof WhatIfQuestion>;

/** A mean over independent simulations, and half the width of its 95 % confidence interval. */
export const Estimate = z.object({ mean: z.number(), halfWidth: z.number() });

export const Predicted = z.object({
  throughput: Estimate,
  latencyMs: z.object({ mean: Estimate, p50: Estimate, p95: Estimate, p99: Estimate }),
  costPer1000: z.object({ all: Estimate, withoutActions: Estimate }),
});

export const WhatIf = z
  .object({
    pipeline: PipelineName,
    version: VersionName,
    ratePerSecond: z.number(),
    predicted: Predicted,
    running: z.object({
      version: VersionName,
      measured: z.object({
        throughput: z.number(),
        latencyMs: z.object({ mean: z.number(), p50: z.number(), p95: z.number(), p99: z.number() }),
        costPer1000: z.object({ all: z.number(), withoutActions: z.number() }).exactOptional(),
      }),
      predicted: Predicted,
    }),
    /** The twin's own, on the running version: (predicted − measured) / measured. */
    error: z.object({ throughput: z.number(), p95: z.number(), costPer1000: z.number().exactOptional() }),
    /** What the answer leans on without having been measured. */
    notes: z.array(z.object({ code: z.string(), function: z.string().exactOptional(), message: z.string() })),
  })
  .meta({ id: 'WhatIf' });
export type WhatIf = z.infer<typeof WhatIf>;
