import { noWayBack } from './conditions.js';
import { precedes, stageOf } from './graph.js';
import type { Parallelise } from './parallelise.js';
import { defineRewrite } from './rewrite.js';

/** A stage waits for another: fewer instances at once, and what the first ends does not reach the second. */
export interface Serialise {
  readonly rewrite: 'serialise';
  readonly first: string;
  readonly second: string;
}

export const serialise = defineRewrite<Serialise>({
  name: 'serialise',

  places({ topology }) {
    const before = precedes(topology);
    const names = topology.stages.map(({ name }) => name);
    return names.flatMap((first) =>
      names.flatMap((second) => (first === second || before(first, second) ? [] : [{ rewrite: 'serialise' as const, first, second }])),
    );
  },

  apply(topology, { first, second }) {
    const { name } = stageOf(topology, first);
    stageOf(topology, second);
    const stages = topology.stages.map((stage) => (stage.name === second ? { ...stage, after: [...stage.after, name] } : stage));
    return { ...topology, stages };
  },

  conditions: (context, { first, second }) => [noWayBack(context, first, second)],

  undo: (_, { first, second }): Parallelise => ({ rewrite: 'parallelise', first, second }),
});
