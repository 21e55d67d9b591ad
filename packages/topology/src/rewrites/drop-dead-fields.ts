import type { PipelineSpec } from '@autoflow/pipeline';
import { dropsOf } from '../canonical-drops.js';
import { droppable, needsBehind } from '../drops.js';
import type { Drops, Topology } from '../topology.js';
import { precedes, replaced, stageOf } from './graph.js';
import { defineRewrite, type Condition, type Context } from './rewrite.js';

/** A stage writes on only what something behind it needs: smaller batches between stages. With nothing to drop: it writes on everything again. */
export interface DropDeadFields extends Drops {
  readonly rewrite: 'drop-dead-fields';
  readonly stage: string;
}

export const dropDeadFields = defineRewrite<DropDeadFields>({
  name: 'drop-dead-fields',
  keepsDrops: true,

  /** Of every stage: everything that is dead behind it, each thing alone, and nothing. */
  places(context) {
    const { fields, children } = droppable(context.spec);
    return context.topology.stages.flatMap(({ name, drops: now }) => {
      const sets: Drops[] = [
        dead(context, name),
        ...fields.map((field) => ({ fields: [field], children: [] })),
        ...children.map((expand) => ({ fields: [], children: [expand] })),
        { fields: [], children: [] },
      ];
      return sets.filter((set) => !same(set, now)).map((set) => ({ rewrite: 'drop-dead-fields' as const, stage: name, ...set }));
    });
  },

  apply(topology, { stage, fields, children }) {
    const { drops: _, ...kept } = stageOf(topology, stage);
    return replaced(topology, { [stage]: [{ ...kept, ...dropsOf({ fields, children }) }] });
  },

  conditions: ({ spec, topology }, { stage, fields, children }) => {
    const known = droppable(spec);
    const needs = needsBehind(spec, topology, indexOf(topology, stage));
    return [
      ...[...new Set(fields)].map((field): Condition => {
        const facts = { known: known.fields.includes(field), output: spec.output.includes(field), readers: needs.field(field) };
        return { condition: 'dead-field', on: [stage, field], holds: facts.known && !facts.output && facts.readers.length === 0, facts };
      }),
      ...[...new Set(children)].map((expand): Condition => {
        const facts = { known: known.children.includes(expand), inside: needs.children(expand) };
        return { condition: 'dead-children', on: [stage, expand], holds: facts.known && facts.inside.length === 0, facts };
      }),
    ];
  },

  undo: (before, { stage }): DropDeadFields => ({
    rewrite: 'drop-dead-fields',
    stage,
    ...(stageOf(before, stage).drops ?? { fields: [], children: [] }),
  }),
});

/** The steps by which every stage with others behind it drops all that is dead there. Independent of each other: what is dead depends on the graph alone. */
export function dropAllDead(spec: PipelineSpec, topology: Topology): DropDeadFields[] {
  const followed = new Set(topology.stages.flatMap(({ after }) => after));
  return topology.stages.flatMap(({ name, drops: now }) => {
    const set = dead({ spec, topology }, name);
    return !followed.has(name) || same(set, now) ? [] : [{ rewrite: 'drop-dead-fields' as const, stage: name, ...set }];
  });
}

/** All that came with the record or has been written to it when a stage ends, and that nothing needs from there on. */
function dead({ spec, topology }: Pick<Context, 'spec' | 'topology'>, stage: string): Drops {
  const needs = needsBehind(spec, topology, indexOf(topology, stage));
  const isBefore = precedes(topology);
  const run = new Set(topology.stages.flatMap(({ name, nodes }) => (name === stage || isBefore(name, stage) ? nodes : [])));
  const { fields, children } = droppable({ ...spec, nodes: spec.nodes.filter(({ id }) => run.has(id)) });
  return {
    fields: fields.filter((field) => !spec.output.includes(field) && needs.field(field).length === 0),
    children: children.filter((expand) => needs.children(expand).length === 0),
  };
}

function indexOf(topology: Topology, stage: string): number {
  return topology.stages.indexOf(stageOf(topology, stage));
}

function same(a: Drops, b: Drops | undefined): boolean {
  return JSON.stringify(dropsOf(a)) === JSON.stringify(dropsOf(b));
}
