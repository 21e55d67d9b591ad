import type { Stage, Topology } from '../topology.js';
import { memoryFit, noDetour, samePartitions, writeAlone } from './conditions.js';
import { precedes, replaced, stageOf, withNodes } from './graph.js';
import { defineRewrite } from './rewrite.js';
import type { Split } from './split.js';

/** Two stages, one behind the other or beside each other, become one: one dispatch less, and a record in memory instead of in a file. */
export interface Fuse {
  readonly rewrite: 'fuse';
  readonly first: string;
  readonly second: string;
}

export const fuse = defineRewrite<Fuse>({
  name: 'fuse',

  places({ topology }) {
    const before = precedes(topology);
    const names = topology.stages.map(({ name }) => name);
    return names.flatMap((first) =>
      names.flatMap((second) => (first === second || before(second, first) ? [] : [{ rewrite: 'fuse' as const, first, second }])),
    );
  },

  apply(topology, { first, second }) {
    const stage = fused(topology, first, second);
    return replaced(topology, { [first]: [stage], [second]: [] }, { [first]: [stage.name], [second]: [stage.name] });
  },

  conditions(context, step) {
    const { topology } = context;
    const stage = fused(topology, step.first, step.second);
    return [
      noDetour(context, step.first, step.second),
      writeAlone(context, stage),
      samePartitions(stageOf(topology, step.first), stageOf(topology, step.second)),
      memoryFit(context, topology, stage),
    ];
  },

  undo: (before, { first, second }): Split => ({
    rewrite: 'split',
    stage: fused(before, first, second).name,
    at: stageOf(before, first).nodes.length,
  }),
});

function fused(topology: Topology, first: string, second: string): Stage {
  const [a, b] = [stageOf(topology, first), stageOf(topology, second)];
  const after = [...a.after, ...b.after].filter((name) => name !== first && name !== second);
  return withNodes({ ...a, after }, [...a.nodes, ...b.nodes]);
}
