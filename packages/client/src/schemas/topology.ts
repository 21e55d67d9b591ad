import type { Allocation as AllocationType, Envelope as EnvelopeType, Topology as TopologyType } from '@autoflow/topology';
import { z } from 'zod';

export const Stage = z
  .object({
    name: z.string(),
    nodes: z.array(z.string()),
    after: z.array(z.string()),
    partitions: z.int(),
    drops: z.object({ fields: z.array(z.string()), children: z.array(z.string()) }).exactOptional(),
  })
  .meta({ id: 'Stage' });

export const Topology: z.ZodType<TopologyType, TopologyType> = z
  .object({ stages: z.array(Stage), batch: z.object({ records: z.int(), bytes: z.int() }), lingerMs: z.int() })
  .meta({ id: 'Topology' });

export const StageEnvelope = z
  .object({ memoryMb: z.array(z.int()), concurrency: z.object({ min: z.int(), max: z.int() }) })
  .meta({ id: 'StageEnvelope' });
export const Envelope: z.ZodType<EnvelopeType, EnvelopeType> = z.record(z.string(), StageEnvelope).meta({ id: 'Envelope' });

export const StageAllocation = z.object({ memoryMb: z.int(), concurrency: z.int() }).meta({ id: 'StageAllocation' });
export const Allocation: z.ZodType<AllocationType, AllocationType> = z.record(z.string(), StageAllocation).meta({ id: 'Allocation' });

/**
 * Documents that `@autoflow/topology` reads, so that every problem of shape and of legality is located by it. Here they are
 * `unknown` with a documented shape: a second reader would disagree one day.
 */
export const NewTopology = documented('NewTopology', {
  description: 'A topology by hand. May leave out what has one answer: names of stages, partitions (1), batch.bytes (8 MiB), lingerMs (0).',
  type: 'object',
  required: ['stages', 'batch'],
  properties: {
    stages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['nodes', 'after'],
        properties: {
          name: { type: 'string' },
          nodes: { type: 'array', items: { type: 'string' }, minItems: 1 },
          after: { type: 'array', items: { type: 'string' } },
          partitions: { type: 'integer', minimum: 1 },
          drops: {
            description: 'Fields, and children by expand, that nothing behind the stage needs and that it does not write on.',
            type: 'object',
            properties: { fields: { type: 'array', items: { type: 'string' } }, children: { type: 'array', items: { type: 'string' } } },
          },
        },
      },
    },
    batch: { type: 'object', required: ['records'], properties: { records: { type: 'integer', minimum: 1 }, bytes: { type: 'integer' } } },
    lingerMs: { type: 'integer', minimum: 0 },
  },
});
export const NewEnvelope = documented('NewEnvelope', {
  description: 'Allowed memory sizes (MB, ascending) and instances, of every stage by name.',
  type: 'object',
  additionalProperties: { $ref: '#/components/schemas/StageEnvelope' },
});
export const NewAllocation = documented('NewAllocation', {
  description: 'Memory (MB) and instances of every stage by name, inside the envelope and the limits of resources.',
  type: 'object',
  additionalProperties: { $ref: '#/components/schemas/StageAllocation' },
});

function documented(id: string, schema: object): z.ZodUnknown {
  return z.unknown().meta({ id, ...schema });
}
