import { replaced, stageOf, withNodes } from './graph.js';
import { independence } from './independence.js';
import { defineRewrite } from './rewrite.js';
import { stageName } from '../stage-name.js';

/** Two nodes next to each other in a stage change places. */
export interface ReorderNodes {
  readonly rewrite: 'reorder-nodes';
  readonly stage: string;
  /** Position of the one that shall run later. */
  readonly at: number;
}

export const reorderNodes = defineRewrite<ReorderNodes>({
  name: 'reorder-nodes',

  places: ({ topology }) =>
    topology.stages.flatMap(({ name, nodes }) => nodes.slice(1).map((_, at) => ({ rewrite: 'reorder-nodes' as const, stage: name, at }))),

  apply(topology, { stage: name, at }) {
    const stage = stageOf(topology, name);
    return replaced(topology, { [name]: [withNodes(stage, swapped(stage.nodes, at))] });
  },

  conditions(context, step) {
    return independence(context, this.apply(context.topology, step));
  },

  undo: (before, { stage, at }): ReorderNodes => ({
    rewrite: 'reorder-nodes',
    stage: stageName(swapped(stageOf(before, stage).nodes, at)),
    at,
  }),
});

function swapped(nodes: readonly string[], at: number): string[] {
  return [...nodes.slice(0, at), ...nodes.slice(at, at + 2).reverse(), ...nodes.slice(at + 2)];
}
