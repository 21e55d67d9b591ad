/** What a stage may leave out of what it writes on, because nothing behind it needs it. */
import type { PipelineSpec } from '@autoflow/pipeline';
import { jsonPointer } from './json-pointer.js';
import { stageGraph } from './stage-graph.js';
import type { Drops, Problem, Topology } from './topology.js';
import { listed } from './words.js';

/** Nodes behind a stage that keep something from being dropped at its end. Those beside it have a copy of their own. */
export interface Needs {
  /** That read a field of the record. */
  field(name: string): string[];
  /** That live among the children of an expand of the record. */
  children(expand: string): string[];
}

export function needsBehind(spec: PipelineSpec, topology: Topology, stage: number): Needs {
  const { ancestors } = stageGraph(topology);
  const behind = new Set(topology.stages.flatMap(({ nodes }, i) => (ancestors[i]?.has(stage) ? nodes : [])));
  const nodes = spec.nodes.filter(({ id }) => behind.has(id));
  return {
    field: (name) => nodes.filter(({ scope, reads }) => scope.length === 0 && reads.includes(name)).map(({ id }) => id),
    children: (expand) => nodes.filter(({ scope }) => scope[0] === expand).map(({ id }) => id),
  };
}

/** What there is to drop at the end of some stage, needed or not. */
export function droppable(spec: PipelineSpec): Drops {
  const written = spec.nodes.flatMap(({ kind, scope, writes }) => (recordWritten(kind, scope.length) ? writes : []));
  return {
    fields: [...new Set([...spec.input, ...written])],
    children: spec.nodes.filter(({ kind, scope }) => kind === 'expand' && scope.length === 0).map(({ id }) => id),
  };
}

function recordWritten(kind: string, depth: number): boolean {
  return kind === 'reduce' ? depth === 1 : kind !== 'expand' && depth === 0;
}

/** Why what a topology drops is needed all the same. The stages are taken to form no circle. */
export function dropProblems(spec: PipelineSpec, topology: Topology): Problem[] {
  const known = droppable(spec);
  return topology.stages.flatMap(({ name, drops }, i) => {
    if (drops === undefined) return [];
    const needs = needsBehind(spec, topology, i);
    const problem = (kind: keyof Drops, j: number, code: string, message: string): Problem[] => [
      { code, pointer: jsonPointer('stages', i, 'drops', kind, j), message },
    ];
    return [
      ...drops.fields.flatMap((field, j) => {
        if (!known.fields.includes(field))
          return problem('fields', j, 'UNKNOWN_FIELD', `${name} drops '${field}', which no record of ${spec.name} has.`);
        if (spec.output.includes(field))
          return problem('fields', j, 'DROPPED_TOO_EARLY', `${name} drops '${field}', which is part of the output.`);
        const readers = needs.field(field);
        return readers.length === 0
          ? []
          : problem('fields', j, 'DROPPED_TOO_EARLY', `${name} drops '${field}', which ${listed(readers)} behind it reads.`);
      }),
      ...drops.children.flatMap((expand, j) => {
        if (!known.children.includes(expand))
          return problem('children', j, 'UNKNOWN_EXPAND', `${name} drops the children of '${expand}', which is no expand of the record.`);
        const inside = needs.children(expand);
        return inside.length === 0
          ? []
          : problem(
              'children',
              j,
              'DROPPED_TOO_EARLY',
              `${name} drops the children of ${expand}, which ${listed(inside)} behind it needs.`,
            );
      }),
    ];
  });
}
