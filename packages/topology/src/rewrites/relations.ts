import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { stageGraph } from '../stage-graph.js';
import type { Topology } from '../topology.js';
import { StepError } from './graph.js';

/** The calls of a pipeline, and how they stand to each other as written. */
export interface Relations {
  node(id: string): NodeSpec;
  /** Position in the order written. */
  rank(id: string): number;
  /** Whether the records of the second have passed the first. */
  upstream(first: string, second: string): boolean;
}

const known = new WeakMap<PipelineSpec, Relations>();

/** Made once per spec. */
export function relationsOf(spec: PipelineSpec): Relations {
  const relations = known.get(spec) ?? makeRelations(spec);
  known.set(spec, relations);
  return relations;
}

function makeRelations({ name, nodes }: PipelineSpec): Relations {
  const rank = new Map(nodes.map(({ id }, i) => [id, i]));
  const above = new Map<string, Set<string>>();
  for (const { id, inputs } of nodes) above.set(id, new Set(inputs.flatMap((input) => [input, ...(above.get(input) ?? [])])));
  return {
    node(id) {
      const node = nodes[rank.get(id) ?? -1];
      if (!node) throw new StepError(`pipeline '${name}' does not call '${id}'`);
      return node;
    },
    rank: (id) => rank.get(id) ?? -1,
    upstream: (first, second) => above.get(second)?.has(first) ?? false,
  };
}

/** Pairs of nodes of which the first is done before the second in one topology, and not in another. */
export function lostOrder(before: Topology, after: Topology): (readonly [string, string])[] {
  const [was, is] = [orderOf(before), orderOf(after)];
  const nodes = before.stages.flatMap((stage) => stage.nodes);
  return nodes.flatMap((x) => nodes.flatMap((y) => (was(x, y) && !is(x, y) ? [[x, y] as const] : [])));
}

type NodeOrder = (x: string, y: string) => boolean;
const orders = new WeakMap<Topology, NodeOrder>();

/** Found out once per topology, as many steps begin at one. */
function orderOf(topology: Topology): NodeOrder {
  const order = orders.get(topology) ?? makeOrder(topology);
  orders.set(topology, order);
  return order;
}

function makeOrder(topology: Topology): NodeOrder {
  const { ancestors } = stageGraph(topology);
  const place = new Map(topology.stages.flatMap(({ nodes }, stage) => nodes.map((node, position) => [node, { stage, position }] as const)));
  return (x, y) => {
    const [a, b] = [place.get(x), place.get(y)];
    if (!a || !b || x === y) return false;
    return a.stage === b.stage ? a.position < b.position : (ancestors[b.stage]?.has(a.stage) ?? false);
  };
}
