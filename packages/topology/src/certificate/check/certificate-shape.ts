import type { Fields } from '@autoflow/pipeline';
import { z } from 'zod';

const count = z.int().min(0);
const stages = { first: z.string(), second: z.string() };

const stepShape = z.discriminatedUnion('rewrite', [
  z.strictObject({ rewrite: z.literal('fuse'), ...stages }),
  z.strictObject({ rewrite: z.literal('split'), stage: z.string(), at: count }),
  z.strictObject({ rewrite: z.literal('reorder-nodes'), stage: z.string(), at: count }),
  z.strictObject({ rewrite: z.literal('reorder-stages'), ...stages }),
  z.strictObject({ rewrite: z.literal('move'), node: z.string(), to: z.string() }),
  z.strictObject({ rewrite: z.literal('filter-earlier'), filter: z.string(), before: z.string().exactOptional() }),
  z.strictObject({ rewrite: z.literal('parallelise'), ...stages }),
  z.strictObject({ rewrite: z.literal('serialise'), ...stages }),
  z.strictObject({ rewrite: z.literal('partition'), stage: z.string(), partitions: count }),
  z.strictObject({ rewrite: z.literal('batch-size'), records: count, bytes: count }),
  z.strictObject({ rewrite: z.literal('linger'), lingerMs: count }),
  z.strictObject({ rewrite: z.literal('drop-dead-fields'), stage: z.string(), fields: z.array(z.string()), children: z.array(z.string()) }),
]);

const facts = z.record(z.string(), z.json()) as unknown as z.ZodType<Fields>;
const conditionShape = z.strictObject({ condition: z.string(), on: z.array(z.string()), holds: z.boolean(), facts });

/** A certificate as it comes from a store or over the wire. */
export const certificateShape = z.strictObject({
  $autoflow: z.literal('certificate/1'),
  pipeline: z.string(),
  from: z.string(),
  to: z.string(),
  steps: z.array(z.strictObject({ step: stepShape, from: z.string(), to: z.string(), conditions: z.array(conditionShape) })),
});
export type ReadStep = z.infer<typeof certificateShape>['steps'][number];
