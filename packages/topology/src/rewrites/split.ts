import type { Stage, Topology } from '../topology.js';
import { resourceRoom } from './conditions.js';
import type { Fuse } from './fuse.js';
import { replaced, stageOf, withNodes } from './graph.js';
import { defineRewrite } from './rewrite.js';

/** A stage becomes two, one behind the other: each gets a memory size and instances of its own. */
export interface Split {
  readonly rewrite: 'split';
  readonly stage: string;
  /** Nodes in the first part. */
  readonly at: number;
}

export const split = defineRewrite<Split>({
  name: 'split',

  places: ({ topology }) =>
    topology.stages.flatMap(({ name, nodes }) => nodes.slice(1).map((_, i) => ({ rewrite: 'split' as const, stage: name, at: i + 1 }))),

  apply(topology, step) {
    const parts = halves(topology, step);
    return replaced(topology, { [step.stage]: parts }, { [step.stage]: [parts[1].name] });
  },

  conditions(context, step) {
    return resourceRoom(context, this.apply(context.topology, step), stageOf(context.topology, step.stage).nodes);
  },

  undo(before, step): Fuse {
    const [first, second] = halves(before, step);
    return { rewrite: 'fuse', first: first.name, second: second.name };
  },
});

function halves(topology: Topology, { stage: name, at }: Split): [Stage, Stage] {
  const stage = stageOf(topology, name);
  const first = withNodes(stage, stage.nodes.slice(0, at));
  return [first, { ...withNodes(stage, stage.nodes.slice(at)), after: [first.name] }];
}
