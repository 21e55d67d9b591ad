import type { PipelineSpec } from '@autoflow/pipeline';
import { z } from 'zod';
import { shapeProblems } from './shape-problems.js';
import { jsonPointer } from './json-pointer.js';
import { limitedResources } from './resource-limits.js';
import { MEMORY_SIZES_MB, type Envelope, type Problem, type Topology } from './topology.js';

const MAX_CONCURRENCY = 32;

const envelopeShape = z.record(
  z.string(),
  z.strictObject({
    memoryMb: z.array(z.int().min(64).max(65_536)).min(1).max(32),
    concurrency: z.strictObject({ min: z.int().min(1).max(10_000), max: z.int().min(1).max(10_000) }),
  }),
);

/** Every published memory size and 1 to 32 instances, less where a resource allows less. */
export function defaultEnvelope(spec: PipelineSpec, topology: Topology): Envelope {
  const resources = limitedResources(spec, topology);
  return Object.fromEntries(
    topology.stages.map(({ name }) => {
      const room = resources.filter(({ users }) => users.includes(name)).map(({ concurrency, users }) => concurrency - (users.length - 1));
      return [name, { memoryMb: [...MEMORY_SIZES_MB], concurrency: { min: 1, max: Math.max(1, Math.min(MAX_CONCURRENCY, ...room)) } }];
    }),
  );
}

/** Reads an envelope from JSON: all problems of its shape at once. */
export function parseEnvelope(
  json: unknown,
): { readonly envelope: Envelope; readonly problems?: never } | { readonly problems: readonly Problem[] } {
  const parsed = envelopeShape.safeParse(json);
  return parsed.success ? { envelope: parsed.data } : { problems: shapeProblems(parsed.error) };
}

/** Why an envelope is not one of this topology, all reasons at once; pointers into the envelope. Empty: it is. */
export function validateEnvelope(spec: PipelineSpec, topology: Topology, envelope: Envelope): Problem[] {
  const problems: Problem[] = [...stageNameProblems(topology, envelope, 'envelope')];
  for (const [stage, { memoryMb, concurrency }] of Object.entries(envelope)) {
    if (memoryMb.some((size, i) => i > 0 && size <= (memoryMb[i - 1] ?? 0)))
      problems.push({
        code: 'MEMORY_SIZES',
        pointer: jsonPointer(stage, 'memoryMb'),
        message: `the memory sizes of ${stage} must ascend, found ${memoryMb.join(', ')}.`,
      });
    if (concurrency.min > concurrency.max)
      problems.push({
        code: 'CONCURRENCY_RANGE',
        pointer: jsonPointer(stage, 'concurrency'),
        message: `${stage} has a least concurrency of ${concurrency.min}, above its greatest, ${concurrency.max}.`,
      });
  }
  for (const { name, concurrency, users } of limitedResources(spec, topology)) {
    const least = users.reduce((sum, user) => sum + (envelope[user]?.concurrency.min ?? 1), 0);
    if (least > concurrency)
      problems.push({
        code: 'RESOURCE_LIMIT',
        pointer: '',
        message: `resource '${name}' allows ${concurrency} at once, but the least concurrencies of ${users.join(', ')} add up to ${least}. Lower them, or raise the limit of the resource.`,
      });
  }
  return problems;
}

/** Stages that the topology does not have, and stages of it that are not named. */
export function stageNameProblems(topology: Topology, byStage: { readonly [stage: string]: unknown }, what: string): Problem[] {
  const names = topology.stages.map(({ name }) => name);
  const unknown = Object.keys(byStage).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !Object.hasOwn(byStage, name));
  return [
    ...unknown.map((name) => ({
      code: 'UNKNOWN_STAGE',
      pointer: jsonPointer(name),
      message: `the topology has no stage '${name}'; it has ${names.join(', ')}.`,
    })),
    ...missing.map((name) => ({ code: 'MISSING_STAGE', pointer: '', message: `the ${what} does not name stage '${name}'.` })),
  ];
}
