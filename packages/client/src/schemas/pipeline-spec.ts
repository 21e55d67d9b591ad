import type { Json, PipelineSpec as PipelineSpecType } from '@autoflow/pipeline';
import { z } from 'zod';
import { PipelineName } from './common.js';

const Names = z.array(z.string());

export const RetryPolicy = z
  .strictObject({
    maximumAttempts: z.int().min(1),
    initialIntervalMs: z.number().min(0),
    backoffCoefficient: z.number().min(1),
    maximumIntervalMs: z.number().min(0),
  })
  .meta({ id: 'RetryPolicy' });

/** One call of a function in the wiring. */
export const NodeSpec = z
  .strictObject({
    id: z.string().min(1).max(200),
    name: z.string().min(1).max(100),
    kind: z.enum(['function', 'filter', 'expand', 'reduce']),
    effect: z.enum(['pure', 'read', 'idempotent-write', 'write']),
    inputs: Names,
    scope: Names,
    reads: Names,
    writes: Names,
    uses: Names,
    batched: z.boolean(),
    timeoutMs: z.number().min(1),
    retry: RetryPolicy,
    memo: z.strictObject({ ttlMs: z.number().min(0) }).exactOptional(),
  })
  .meta({ id: 'NodeSpec' });

export const ResourceSpec = z
  .strictObject({
    name: z.string().min(1).max(100),
    secrets: Names,
    limit: z
      .strictObject({ concurrency: z.int().min(1).exactOptional(), perSecond: z.number().positive().exactOptional() })
      .exactOptional(),
  })
  .meta({ id: 'ResourceSpec' });

const AnyJson = z.unknown() as z.ZodType<Json, Json>;

/** The wiring of a pipeline as `specOf` gives it. Unknown keys are refused: the release hash covers all of it. */
export const PipelineSpec: z.ZodType<PipelineSpecType, PipelineSpecType> = z
  .strictObject({
    name: PipelineName,
    key: z.string().min(1),
    input: Names,
    output: Names,
    nodes: z.array(NodeSpec).min(1).max(1000),
    resources: z.array(ResourceSpec).max(1000),
    sensitive: z.array(z.string().max(1000)).max(1000).exactOptional(),
    schemas: z.strictObject({ input: AnyJson, output: AnyJson }),
  })
  .meta({ id: 'PipelineSpec' });
