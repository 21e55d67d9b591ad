import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { jsonPointer, type Problem } from '@autoflow/topology';

/**
 * Why a specification cannot be that of a pipeline, all reasons at once. `specOf` makes none of these; a specification written by
 * hand might, and legality is decided on what it says.
 */
export function specProblems(spec: PipelineSpec): Problem[] {
  const ancestors = ancestorsOf(spec.nodes);
  return [
    ...nameProblems(spec),
    ...spec.nodes.flatMap((node, i) => referenceProblems(spec, node, i)),
    ...lateFilters(spec.nodes, ancestors),
    ...unreadable(spec, ancestors),
  ];
}

function nameProblems({ name, key, input, nodes }: PipelineSpec): Problem[] {
  const problems: Problem[] = [];
  if (name in Object.prototype || name === 'default')
    problems.push({ code: 'BAD_NAME', pointer: '/name', message: `'${name}' is a name that JavaScript uses itself` });
  if (!input.includes(key))
    problems.push({ code: 'KEY_UNKNOWN', pointer: '/key', message: `the key '${key}' is not a field of the input` });
  nodes.forEach(({ id }, i) => {
    if (nodes.findIndex((other) => other.id === id) < i)
      problems.push({ code: 'NODE_TWICE', pointer: jsonPointer('nodes', i, 'id'), message: `there are two nodes '${id}'` });
  });
  return problems;
}

/** Nodes come in topological order: a node names only nodes before it. */
function referenceProblems({ nodes, resources }: PipelineSpec, node: NodeSpec, i: number): Problem[] {
  const before = nodes.slice(0, i);
  const at = (field: string, k: number) => jsonPointer('nodes', i, field, k);
  const missing = (names: readonly string[], field: string, known: (name: string) => boolean, what: string): Problem[] =>
    names.flatMap((name, k) =>
      known(name)
        ? []
        : [{ code: 'REFERENCE_UNKNOWN', pointer: at(field, k), message: `'${node.id}' names '${name}', which is not ${what}` }],
    );
  return [
    ...missing(node.inputs, 'inputs', (name) => before.some(({ id }) => id === name), 'a node before it'),
    ...missing(node.scope, 'scope', (name) => before.some(({ id, kind }) => id === name && kind === 'expand'), 'an expand before it'),
    ...missing(node.uses, 'uses', (name) => resources.some((resource) => resource.name === name), 'a resource'),
  ];
}

/** No write may run beside or before a filter of the same record. */
function lateFilters(nodes: readonly NodeSpec[], ancestors: ReadonlyMap<string, ReadonlySet<string>>): Problem[] {
  const filters = nodes.filter(({ kind, scope }) => kind === 'filter' && scope.length === 0);
  return nodes.flatMap((node, i) =>
    !node.effect.endsWith('write')
      ? []
      : filters
          .filter(({ id }) => !ancestors.get(node.id)?.has(id))
          .map(({ id }) => ({
            code: 'WRITE_BEFORE_FILTER',
            pointer: jsonPointer('nodes', i),
            message: `'${node.id}' writes beside or before the filter '${id}', and so would write records that it drops`,
          })),
  );
}

/** A field of the output that nothing writes would never be there. */
function unreadable({ nodes, input, output }: PipelineSpec, ancestors: ReadonlyMap<string, ReadonlySet<string>>): Problem[] {
  if (ancestors.size < nodes.length) return [];
  const written = new Set([...input, ...nodes.flatMap(({ writes }) => writes)]);
  return output.flatMap((field, k) =>
    written.has(field)
      ? []
      : [{ code: 'FIELD_UNWRITTEN', pointer: jsonPointer('output', k), message: `nothing writes the field '${field}' of the output` }],
  );
}

function ancestorsOf(nodes: readonly NodeSpec[]): Map<string, Set<string>> {
  const ancestors = new Map<string, Set<string>>();
  for (const { id, inputs } of nodes) ancestors.set(id, new Set(inputs.flatMap((input) => [input, ...(ancestors.get(input) ?? [])])));
  return ancestors;
}
