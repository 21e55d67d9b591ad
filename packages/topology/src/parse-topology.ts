import { z } from 'zod';
import { dropsOf } from './canonical-drops.js';
import { shapeProblems } from './shape-problems.js';
import { stageName } from './stage-name.js';
import { DEFAULT_BATCH_BYTES, type Problem, type Topology } from './topology.js';

/** Bounds of a topology's numbers; a batch is at most what one instance can be expected to hold. */
export const TOPOLOGY_BOUNDS = {
  partitions: { min: 1, max: 64 },
  batchRecords: { min: 1, max: 100_000 },
  batchBytes: { min: 1024, max: 256 * 1024 * 1024 },
  lingerMs: { min: 0, max: 600_000 },
} as const;

const within = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

const topologyShape = z.strictObject({
  stages: z
    .array(
      z.strictObject({
        name: z.string().optional(),
        nodes: z.array(z.string()).min(1),
        after: z.array(z.string()),
        partitions: within(TOPOLOGY_BOUNDS.partitions).default(1),
        drops: z.strictObject({ fields: z.array(z.string()).default([]), children: z.array(z.string()).default([]) }).exactOptional(),
      }),
    )
    .min(1),
  batch: z.strictObject({
    records: within(TOPOLOGY_BOUNDS.batchRecords),
    bytes: within(TOPOLOGY_BOUNDS.batchBytes).default(DEFAULT_BATCH_BYTES),
  }),
  lingerMs: within(TOPOLOGY_BOUNDS.lingerMs).default(0),
});

export type ParsedTopology =
  { readonly topology: Topology; readonly problems?: never } | { readonly topology?: never; readonly problems: readonly Problem[] };

/**
 * Reads a topology from JSON: its shape only, all problems at once, unknown keys refused; `validateTopology` decides whether it is legal.
 * A hand-written one may leave out what has one answer: the names of stages, `partitions` (1), `batch.bytes` (8 MiB) and `lingerMs` (0).
 */
export function parseTopology(json: unknown): ParsedTopology {
  const parsed = topologyShape.safeParse(json);
  if (!parsed.success) return { problems: shapeProblems(parsed.error) };
  const { stages, ...rest } = parsed.data;
  const named = stages.map(({ drops, ...stage }) => ({ ...stage, ...dropsOf(drops), name: stage.name ?? stageName(stage.nodes) }));
  return { topology: { ...rest, stages: named } };
}
