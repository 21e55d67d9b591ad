import { DefinitionError } from './definition-error.js';
import type { FunctionDefinition } from './definition.js';

/** The graph that grows while `wire` runs: one node per call, per join, and one for the input record. */
export interface GraphNode {
  readonly operation: FunctionDefinition | { readonly kind: 'join' } | { readonly kind: 'input' };
  readonly inputs: readonly GraphNode[];
  readonly graph: Graph;
  /** For messages. */
  readonly label: string;
}

/** The builder lives in the input record, not in a global: two pipelines can never mix, and nothing is lost in silence. */
export interface Graph {
  readonly pipeline: string;
  /** In the order written, which is topological. */
  readonly nodes: GraphNode[];
  closed: boolean;
}

/** A registered symbol: functions of one copy of this module may be called on records of another. */
export const nodeSymbol: unique symbol = Symbol.for('autoflow.node') as never;

export function inputNode(pipeline: string): GraphNode {
  return attach({ operation: { kind: 'input' }, inputs: [], graph: { pipeline, nodes: [], closed: false }, label: 'input' });
}

export function addNode(
  operation: FunctionDefinition | { readonly kind: 'join' },
  inputs: readonly [GraphNode, ...GraphNode[]],
): GraphNode {
  const [{ graph }] = inputs;
  const label = 'name' in operation ? operation.name : 'join';
  const stranger = inputs.find((input) => input.graph !== graph);
  if (stranger)
    throw new DefinitionError(
      'PIPELINES_MIXED',
      `a join in pipeline '${graph.pipeline}' was given a record of pipeline '${stranger.graph.pipeline}'`,
      'join only records that come from the record of this `wire`',
    );
  if (graph.closed)
    throw new DefinitionError(
      'PIPELINE_CLOSED',
      `'${label}' was called on a record of pipeline '${graph.pipeline}' after its definition had ended`,
      'call it inside `wire`, synchronously',
    );
  return attach({ operation, inputs, graph, label });
}

function attach(node: GraphNode): GraphNode {
  node.graph.nodes.push(node);
  return node;
}
