import { noDetour } from './conditions.js';
import { replaced, stageOf } from './graph.js';
import { independence } from './independence.js';
import { defineRewrite } from './rewrite.js';

/** Two stages one behind the other change places: a cheap one that ends many records should come first. */
export interface ReorderStages {
  readonly rewrite: 'reorder-stages';
  /** The one that comes first before the step, and second after it. */
  readonly first: string;
  readonly second: string;
}

export const reorderStages = defineRewrite<ReorderStages>({
  name: 'reorder-stages',

  places: ({ topology }) =>
    topology.stages.flatMap(({ name: second, after }) => after.map((first) => ({ rewrite: 'reorder-stages' as const, first, second }))),

  apply(topology, { first, second }) {
    const [a, b] = [stageOf(topology, first), stageOf(topology, second)];
    // Whoever waited for the second waits for the first too now, which comes behind it.
    const waiting = { [second]: [first, second] };
    const rest = replaced(topology, {}, waiting).stages.filter(({ name }) => name !== first && name !== second);
    const swapped = [
      { ...b, after: [...new Set([...a.after, ...b.after.filter((name) => name !== first)])] },
      { ...a, after: [second] },
    ];
    return { ...topology, stages: [...rest, ...swapped] };
  },

  conditions(context, step) {
    return [noDetour(context, step.first, step.second), ...independence(context, this.apply(context.topology, step))];
  },

  undo: (_, { first, second }): ReorderStages => ({ rewrite: 'reorder-stages', first: second, second: first }),
});
