import { DEFAULT_RETRY, DEFAULT_TIMEOUT_MS, type FunctionDefinition } from './definition.js';
import type { GraphNode } from './graph.js';
import { fieldsOf } from './schema.js';
import type { NodeSpec, ResourceSpec, RetryPolicy } from './spec.js';

/** A graph read as data: one entry per call, joins flattened, scopes computed. Problems are left to `wiringProblems`. */
export interface Wiring {
  readonly nodes: readonly NodeSpec[];
  readonly resources: readonly ResourceSpec[];
  /** What to run for each node, by id. */
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly points: ReadonlyMap<GraphNode, Point>;
}

/** What is known of the records that leave a node of the graph. */
export interface Point {
  /** Ids of the calls that these records come from, joins flattened. */
  readonly sources: readonly string[];
  /** Open expands, by id. */
  readonly scope: readonly string[];
  /** Fields by the wiring alone; the bag may hold more, which nobody behind this point sees. */
  readonly fields: ReadonlySet<string>;
}

export function wiringOf(graph: readonly GraphNode[], input: readonly string[]): Wiring {
  const points = new Map<GraphNode, Point>();
  const functions = new Map<string, FunctionDefinition>();
  const nodes: NodeSpec[] = [];
  const calls = new Map<string, number>();
  for (const node of graph) {
    const before = node.inputs.map((from) => points.get(from) as Point);
    const { operation } = node;
    if (operation.kind === 'input') points.set(node, { sources: [], scope: [], fields: new Set(input) });
    else if (operation.kind === 'join') points.set(node, joined(before));
    else {
      const count = (calls.get(operation.name) ?? 0) + 1;
      calls.set(operation.name, count);
      const spec = nodeSpec(count === 1 ? operation.name : `${operation.name}#${count}`, operation, before[0] as Point);
      nodes.push(spec);
      functions.set(spec.id, operation);
      points.set(node, behind(spec, before[0] as Point));
    }
  }
  return { nodes, functions, points, resources: resourcesOf([...functions.values()]) };
}

function joined(branches: readonly Point[]): Point {
  return {
    sources: [...new Set(branches.flatMap(({ sources }) => sources))],
    scope: branches[0]?.scope ?? [],
    fields: new Set(branches.flatMap(({ fields }) => [...fields])),
  };
}

function nodeSpec(id: string, f: FunctionDefinition, { sources, scope, fields }: Point): NodeSpec {
  return {
    id,
    name: f.name,
    kind: f.kind,
    effect: f.effect,
    inputs: sources,
    scope,
    // An optional read that no function before it writes stays out, even if some other branch writes it: else order would decide.
    reads: fieldsOf(f.reads).filter((field) => fields.has(field)),
    writes: f.kind === 'reduce' ? [f.into as string] : f.writes ? fieldsOf(f.writes) : [],
    uses: [...new Set(Object.values(f.uses ?? {}).map(({ name }) => name))],
    batched: f.handleBatch !== undefined,
    timeoutMs: f.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    retry: retryOf(f),
    ...(f.memo ? { memo: { ttlMs: f.memo.ttlMs } } : {}),
  };
}

function retryOf({ effect, retry = {} }: FunctionDefinition): RetryPolicy {
  const policy = { ...DEFAULT_RETRY, ...Object.fromEntries(Object.entries(retry).filter(([, value]) => value !== undefined)) };
  return {
    maximumAttempts: effect === 'write' ? 1 : policy.maximumAttempts,
    initialIntervalMs: policy.initialIntervalMs,
    backoffCoefficient: policy.backoffCoefficient,
    maximumIntervalMs: Math.max(policy.initialIntervalMs, policy.maximumIntervalMs),
  };
}

function behind({ id, kind, writes }: NodeSpec, { scope, fields }: Point): Point {
  if (kind === 'expand') return { sources: [id], scope: [...scope, id], fields: new Set(writes) };
  if (kind === 'reduce') return { sources: [id], scope: scope.slice(0, -1), fields: new Set(writes) };
  return { sources: [id], scope, fields: new Set([...fields, ...writes]) };
}

function resourcesOf(functions: readonly FunctionDefinition[]): ResourceSpec[] {
  const resources = new Map(
    functions.flatMap(({ uses = {} }) => Object.values(uses).map((resource) => [resource.name, resource] as const)),
  );
  return [...resources.values()].map(({ name, secrets, limit }) => ({ name, secrets, ...(limit ? { limit } : {}) }));
}
