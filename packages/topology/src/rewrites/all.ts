import type { PipelineSpec } from '@autoflow/pipeline';
import type { Topology } from '../topology.js';
import { batchSize, type BatchSize } from './batch-size.js';
import { dropDeadFields, type DropDeadFields } from './drop-dead-fields.js';
import { filterEarlier, type FilterEarlier } from './filter-earlier.js';
import { fuse, type Fuse } from './fuse.js';
import { linger, type Linger } from './linger.js';
import { move, type Move } from './move.js';
import { parallelise, type Parallelise } from './parallelise.js';
import { partition, type Partition } from './partition.js';
import { reorderNodes, type ReorderNodes } from './reorder-nodes.js';
import { reorderStages, type ReorderStages } from './reorder-stages.js';
import { sameTopology, type Condition, type Context, type Limits, type Rewrite } from './rewrite.js';
import { serialise, type Serialise } from './serialise.js';
import { split, type Split } from './split.js';

/** One application of a rewrite, as JSON. */
export type Step =
  | Fuse
  | Split
  | ReorderNodes
  | ReorderStages
  | Move
  | FilterEarlier
  | Parallelise
  | Serialise
  | Partition
  | BatchSize
  | Linger
  | DropDeadFields;

/** Every rewrite there is. To join branches earlier or later is to serialise or parallelise. */
export const rewrites: readonly Rewrite<Step>[] = [
  fuse,
  split,
  reorderNodes,
  reorderStages,
  move,
  filterEarlier,
  parallelise,
  serialise,
  partition,
  batchSize,
  linger,
  dropDeadFields,
];

const byName = new Map(rewrites.map((rewrite) => [rewrite.name, rewrite]));

/** Every legal step from a topology; `limits` as for one rewrite. */
export function legalSteps(spec: PipelineSpec, topology: Topology, limits: Limits = {}): Step[] {
  return rewrites.flatMap((rewrite) => rewrite.candidates(spec, topology, limits));
}

/** The topology after a step. Throws a `StepError` when the step names what is not there. */
export function applyStep(topology: Topology, step: Step): Topology {
  return rewriteOf(step).apply(topology, step);
}

/** All side conditions of a step; it is legal when all hold. */
export function conditionsOf(context: Context, step: Step): Condition[] {
  return rewriteOf(step).conditions(context, step);
}

/** The step that leads back, if there is one step that does. Takes a tidy topology, as `asWritten` and every rewrite answer one. */
export function inverseOf(before: Topology, step: Step): Step | undefined {
  const { apply, undo } = rewriteOf(step);
  const back = undo?.(before, step) as Step | undefined;
  return back && sameTopology(applyStep(apply(before, step), back), before) ? back : undefined;
}

function rewriteOf(step: Step): Rewrite<Step> {
  const rewrite = byName.get(step.rewrite);
  if (!rewrite) throw new RangeError(`there is no rewrite '${step.rewrite}'; there are ${[...byName.keys()].join(', ')}`);
  return rewrite;
}
