import { replaced, stageOf } from './graph.js';
import { independence } from './independence.js';
import { defineRewrite } from './rewrite.js';
import { detour } from './graph.js';
import type { Serialise } from './serialise.js';

/** A stage no longer waits for another that it does not need: the two run beside each other, and who waited for the second waits for both. */
export interface Parallelise {
  readonly rewrite: 'parallelise';
  readonly first: string;
  readonly second: string;
}

export const parallelise = defineRewrite<Parallelise>({
  name: 'parallelise',

  places: ({ topology }) =>
    topology.stages.flatMap(({ name: second, after }) =>
      after
        .filter((first) => detour(topology, first, second).length === 0) // else another wait implies this one
        .map((first) => ({ rewrite: 'parallelise' as const, first, second })),
    ),

  apply(topology, { first, second }) {
    const [a, b] = [stageOf(topology, first), stageOf(topology, second)];
    const both = replaced(topology, {}, { [second]: [first, second] });
    const after = [...new Set([...b.after.filter((name) => name !== first), ...a.after])];
    return { ...both, stages: both.stages.map((stage) => (stage.name === second ? { ...stage, after } : stage)) };
  },

  conditions(context, step) {
    return independence(context, this.apply(context.topology, step));
  },

  undo: (_, { first, second }): Serialise => ({ rewrite: 'serialise', first, second }),
});
