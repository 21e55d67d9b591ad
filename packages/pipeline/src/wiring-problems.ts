import type { GraphNode } from './graph.js';
import { fieldsOf, isOptionalField } from './schema.js';
import { ancestorsOf, hasWriteEffect, isRootFilter, writtenIn } from './node-relations.js';
import type { Wiring } from './wiring.js';

/** Everything that makes a wiring no pipeline, each as `found: remedy`. The compiler says most of it first; not everybody asks it. */
export function wiringProblems(
  wiring: Wiring,
  graph: readonly GraphNode[],
  last: GraphNode,
  input: readonly string[],
  output: readonly string[],
): string[] {
  return [
    ...lostNodes(graph, last),
    ...ambiguousNames(wiring),
    ...joinsOfStrangers(wiring, graph),
    ...reducesWithoutExpand(wiring),
    ...missingReads(wiring, graph),
    ...doubleWrites(wiring, input),
    ...lateFilters(wiring),
    ...wrongResult(wiring, last, output),
  ];
}

function lostNodes(graph: readonly GraphNode[], last: GraphNode): string[] {
  const reached = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (reached.has(node)) return;
    reached.add(node);
    node.inputs.forEach(visit);
  };
  visit(last);
  return graph
    .filter((node) => !reached.has(node) && node.operation.kind !== 'input')
    .map(({ label }) => `'${label}' leads nowhere: join it into the record that the pipeline returns, or remove it`);
}

function ambiguousNames({ functions }: Wiring): string[] {
  const problems = new Set<string>();
  const byName = new Map<string, unknown>();
  const resources = new Map<string, unknown>();
  for (const definition of functions.values()) {
    if ((byName.get(definition.name) ?? definition) !== definition)
      problems.add(`two different functions are named '${definition.name}': rename one`);
    byName.set(definition.name, definition);
    for (const resource of Object.values(definition.uses ?? {})) {
      if ((resources.get(resource.name) ?? resource) !== resource)
        problems.add(`two different resources are named '${resource.name}': rename one, or define it once and import it`);
      resources.set(resource.name, resource);
    }
  }
  return [...problems];
}

function joinsOfStrangers({ points }: Wiring, graph: readonly GraphNode[]): string[] {
  return graph.flatMap(({ operation, inputs }) => {
    if (operation.kind !== 'join') return [];
    const scopes = [...new Set(inputs.map((from) => points.get(from)?.scope.join(' / ') || 'the record itself'))];
    return scopes.length > 1
      ? [`a join brings together records of different identity (${scopes.join('; ')}): reduce the children first`]
      : [];
  });
}

function reducesWithoutExpand({ nodes }: Wiring): string[] {
  return nodes
    .filter(({ kind, scope }) => kind === 'reduce' && scope.length === 0)
    .map(({ id }) => `'${id}' has no expand to close: call it on the children that an expand makes`);
}

function missingReads({ points }: Wiring, graph: readonly GraphNode[]): string[] {
  return graph.flatMap(({ operation, inputs: [from] }) => {
    if (operation.kind === 'join' || operation.kind === 'input' || !from) return [];
    const { reads } = operation;
    const missing = fieldsOf(reads).filter((field) => !points.get(from)?.fields.has(field) && !isOptionalField(reads, field));
    return missing.length > 0
      ? [
          `'${operation.name}' reads '${missing.join("', '")}', which nothing before it writes: call it behind the function that does, or join that branch`,
        ]
      : [];
  });
}

/** Fields are written once per identity, also where two branches that write the same are never joined by the types. */
function doubleWrites({ nodes }: Wiring, input: readonly string[]): string[] {
  const writers = new Map(input.map((field) => [`/${field}`, 'the input']));
  return nodes.flatMap((node) =>
    node.writes.flatMap((field) => {
      const where = `${writtenIn(node).join('/')}/${field}`;
      const first = writers.get(where);
      writers.set(where, first ?? `'${node.id}'`);
      return first
        ? [
            `'${node.id}' writes the field '${field}', which ${first} has written: fields are written once; rename it or write it in one place`,
          ]
        : [];
    }),
  );
}

function lateFilters({ nodes }: Wiring): string[] {
  const ancestors = ancestorsOf(nodes);
  const filters = nodes.filter(isRootFilter);
  return nodes
    .filter(hasWriteEffect)
    .flatMap((writer) =>
      filters
        .filter(({ id }) => !ancestors.get(writer.id)?.has(id))
        .map(
          ({ id }) =>
            `'${writer.id}' writes beside or before the filter '${id}', and so would write records that it drops: call '${writer.name}' on a record that has passed '${id}'`,
        ),
    );
}

function wrongResult({ points }: Wiring, last: GraphNode, output: readonly string[]): string[] {
  const { scope, fields } = points.get(last) ?? { scope: [], fields: new Set<string>() };
  if (scope.length > 0) return [`it returns children of '${scope.join(' / ')}': reduce them and return the record itself`];
  const missing = output.filter((field) => !fields.has(field));
  return missing.length > 0
    ? [
        `it promises the output '${missing.join("', '")}', which the returned record does not have: write it, join the branch that does, or remove it from \`output\``,
      ]
    : [];
}
