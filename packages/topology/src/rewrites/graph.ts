import { stageGraph } from '../stage-graph.js';
import { stageName } from '../stage-name.js';
import type { Stage, Topology } from '../topology.js';

/** Thrown when a step names what the topology does not have. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code = 'NO_SUCH_PLACE';
}

export function stageOf(topology: Topology, name: string): Stage {
  const stage = topology.stages.find((one) => one.name === name);
  if (!stage) throw new StepError(`there is no stage '${name}'; the stages are ${topology.stages.map((one) => one.name).join(', ')}`);
  return stage;
}

export function homeOf(topology: Topology, node: string): Stage {
  const stage = topology.stages.find(({ nodes }) => nodes.includes(node));
  if (!stage) throw new StepError(`'${node}' is in no stage; the stages are ${topology.stages.map((one) => one.name).join(', ')}`);
  return stage;
}

/** A stage with other nodes, and so with another name. */
export function withNodes(stage: Stage, nodes: readonly string[]): Stage {
  return { ...stage, nodes, name: stageName(nodes) };
}

/**
 * Puts stages in the place of others: `replacements` says by old name what comes instead. Whoever waited for an old stage waits for `waits(old)`
 * (default: for all that came instead).
 */
export function replaced(
  topology: Topology,
  replacements: { readonly [old: string]: readonly Stage[] },
  waits: { readonly [old: string]: readonly string[] } = {},
): Topology {
  const instead = (old: string): readonly string[] => own(waits, old) ?? own(replacements, old)?.map(({ name }) => name) ?? [old];
  const stages = topology.stages
    .flatMap((stage) => own(replacements, stage.name) ?? [stage])
    .map((stage) => ({ ...stage, after: [...new Set(stage.after.flatMap(instead))] }));
  return { ...topology, stages };
}

/** A stage may be called `constructor`. */
export function own<T>(values: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

type StageOrder = (first: string, second: string) => boolean;
const orders = new WeakMap<Topology, StageOrder>();

/** Whether a stage is done before another starts. Found out once per topology: places are many. */
export function precedes(topology: Topology): StageOrder {
  const order = orders.get(topology) ?? orderOf(topology);
  orders.set(topology, order);
  return order;
}

function orderOf(topology: Topology): StageOrder {
  const { ancestors } = stageGraph(topology);
  const index = new Map(topology.stages.map(({ name }, i) => [name, i]));
  return (first, second) => ancestors[index.get(second) ?? -1]?.has(index.get(first) ?? -1) ?? false;
}

/** The names of stages that the second waits for after the first, if any: a way from first to second with a stop. */
export function detour(topology: Topology, first: string, second: string): string[] {
  const before = precedes(topology);
  return topology.stages.flatMap(({ name }) => (before(first, name) && before(name, second) ? [name] : []));
}

/** Stages in running order, each waiting only for what no other wait implies. The order of execution is the same. A cyclic graph stays as it is. */
export function tidy(topology: Topology): Topology {
  const { ancestors, after } = stageGraph(topology);
  if (ancestors.some((above, i) => above.has(i))) return topology;
  const names = topology.stages.map(({ name }) => name);
  const stages = topology.stages.map((stage, i): Stage => {
    const direct = (after[i] ?? []).filter((j) => !(after[i] ?? []).some((k) => ancestors[k]?.has(j)));
    return { ...stage, after: direct.sort((a, b) => a - b).map((j) => names[j] ?? '') };
  });
  return { ...topology, stages: inOrder(stages) };
}

/** Of the stages whose turn it is, the first comes next. */
function inOrder(stages: readonly Stage[]): Stage[] {
  const done = new Set<string>();
  const left = [...stages];
  const order: Stage[] = [];
  while (left.length > 0) {
    const [next] = left.splice(
      left.findIndex(({ after }) => after.every((name) => done.has(name))),
      1,
    );
    if (!next) break;
    done.add(next.name);
    order.push(next);
  }
  return order;
}
