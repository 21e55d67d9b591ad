import { TOPOLOGY_BOUNDS } from '../parse-topology.js';
import type { Stage, Topology } from '../topology.js';
import { memoryFit, partsFilled, withinBounds } from './conditions.js';
import { replaced, stageOf } from './graph.js';
import { defineRewrite } from './rewrite.js';

/** A batch runs through a stage in so many parts beside each other; no meaning comes from the batch, so none is lost with it. */
export interface Partition {
  readonly rewrite: 'partition';
  readonly stage: string;
  readonly partitions: number;
}

const LADDER = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, TOPOLOGY_BOUNDS.partitions.max];

export const partition = defineRewrite<Partition>({
  name: 'partition',
  keepsDrops: true,

  places: ({ topology }) =>
    topology.stages.flatMap(({ name, partitions: now }) =>
      LADDER.filter((one) => one !== now).map((partitions) => ({ rewrite: 'partition' as const, stage: name, partitions })),
    ),

  apply: (topology, step) => replaced(topology, { [step.stage]: [parted(topology, step)] }),

  conditions(context, step) {
    const next = this.apply(context.topology, step);
    const stage = parted(context.topology, step);
    return [withinBounds('partitions', step.partitions, [stage.name]), partsFilled(next, stage), memoryFit(context, next, stage)];
  },

  undo: (before, { stage }): Partition => ({ rewrite: 'partition', stage, partitions: stageOf(before, stage).partitions }),
});

function parted(topology: Topology, { stage, partitions }: Partition): Stage {
  return { ...stageOf(topology, stage), partitions };
}
