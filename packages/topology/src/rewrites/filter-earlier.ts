import { stageName } from '../stage-name.js';
import type { Stage, Topology } from '../topology.js';
import { memoryFit } from './conditions.js';
import { homeOf, precedes, replaced, withNodes } from './graph.js';
import { independence } from './independence.js';
import { defineRewrite } from './rewrite.js';

/** A filter of the record is asked earlier, so that what it drops costs nothing from there on. */
export interface FilterEarlier {
  readonly rewrite: 'filter-earlier';
  readonly filter: string;
  /** The node that it shall run directly before, in that node's stage; absent: before everything, in a stage of its own. */
  readonly before?: string;
}

export const filterEarlier = defineRewrite<FilterEarlier>({
  name: 'filter-earlier',

  places({ spec, topology }) {
    const isBefore = precedes(topology);
    const filters = spec.nodes.filter(({ kind, scope }) => kind === 'filter' && scope.length === 0);
    return filters.flatMap(({ id }) => {
      const home = homeOf(topology, id);
      const earlier = topology.stages.flatMap(({ name, nodes }) =>
        name === home.name ? nodes.slice(0, nodes.indexOf(id)) : isBefore(name, home.name) ? nodes : [],
      );
      const steps: FilterEarlier[] = earlier.map((before) => ({ rewrite: 'filter-earlier', filter: id, before }));
      const isFirst = home.nodes.length === 1 && topology.stages.every(({ name }) => name === home.name || isBefore(home.name, name));
      return isFirst ? steps : [...steps, { rewrite: 'filter-earlier', filter: id }];
    });
  },

  apply(topology, { filter, before }) {
    const home = homeOf(topology, filter);
    if (before === undefined) return atTheFront(without(topology, home, filter), filter);
    const target = homeOf(topology, before);
    const nodes = withFilter(target.nodes, filter, before);
    if (target.name === home.name) return replaced(topology, { [home.name]: [withNodes(home, nodes)] });
    return replaced(without(topology, home, filter), { [target.name]: [withNodes(target, nodes)] });
  },

  conditions(context, step) {
    const next = this.apply(context.topology, step);
    const stage = homeOf(next, step.filter);
    // It cannot join a plain write: one that it comes from behind of would have run before the filter.
    return [...independence(context, next), memoryFit(context, next, stage)];
  },
});

function withFilter(nodes: readonly string[], filter: string, before: string): string[] {
  const others = nodes.filter((id) => id !== filter);
  const at = others.indexOf(before);
  return [...others.slice(0, at), filter, ...others.slice(at)];
}

/** Whoever waited for a stage that is gone waits for what that stage waited for. */
function without(topology: Topology, home: Stage, filter: string): Topology {
  if (home.nodes.length === 1) return replaced(topology, { [home.name]: [] }, { [home.name]: home.after });
  const nodes = home.nodes.filter((id) => id !== filter);
  return replaced(topology, { [home.name]: [withNodes(home, nodes)] });
}

function atTheFront(topology: Topology, filter: string): Topology {
  const name = stageName([filter]);
  const rest = topology.stages.map((stage) => (stage.after.length === 0 ? { ...stage, after: [name] } : stage));
  return { ...topology, stages: [{ name, nodes: [filter], after: [], partitions: 1 }, ...rest] };
}
