import type { Stage, Topology } from '../topology.js';
import { memoryFit, resourceRoom, writeAlone } from './conditions.js';
import { homeOf, replaced, stageOf, withNodes } from './graph.js';
import { independence } from './independence.js';
import { defineRewrite } from './rewrite.js';

/** A node leaves its stage for the end of a stage that its own waits for, or for the start of one that waits for its own. */
export interface Move {
  readonly rewrite: 'move';
  readonly node: string;
  readonly to: string;
}

export const move = defineRewrite<Move>({
  name: 'move',

  places({ topology }) {
    return topology.stages
      .filter(({ nodes }) => nodes.length > 1) // else it is a fusion
      .flatMap((home) => {
        const neighbours = topology.stages.filter(({ name, after }) => home.after.includes(name) || after.includes(home.name));
        return home.nodes.flatMap((node) => neighbours.map(({ name }) => ({ rewrite: 'move' as const, node, to: name })));
      });
  },

  apply(topology, step) {
    const { home, target, left, joined } = moved(topology, step);
    return replaced(topology, { [home.name]: [left], [target.name]: [joined] });
  },

  conditions(context, step) {
    const next = this.apply(context.topology, step);
    const { joined } = moved(context.topology, step);
    return [
      ...independence(context, next),
      writeAlone(context, joined),
      ...resourceRoom(context, next, [step.node]),
      memoryFit(context, next, joined),
    ];
  },

  undo: (before, step): Move => ({ rewrite: 'move', node: step.node, to: moved(before, step).left.name }),
});

function moved(topology: Topology, { node, to }: Move): { home: Stage; target: Stage; left: Stage; joined: Stage } {
  const [home, target] = [homeOf(topology, node), stageOf(topology, to)];
  const left = withNodes(
    home,
    home.nodes.filter((id) => id !== node),
  );
  const nodes = home.after.includes(to) ? [...target.nodes, node] : [node, ...target.nodes];
  return { home, target, left, joined: withNodes(target, nodes) };
}
