import { dependencies, type Dependency, type NodeSpec, type PipelineSpec } from '@autoflow/pipeline';
import { jsonPointer } from './json-pointer.js';
import type { StageGraph } from './stage-graph.js';
import type { Problem, Topology } from './topology.js';
import { listed } from './words.js';

/** Where a call runs: stage, and position in the stage. */
interface Place {
  readonly stage: number;
  readonly position: number;
}

/** A problem for each pair of calls of which the second does not run after the first though it depends on it. */
export function brokenDependencies(spec: PipelineSpec, topology: Topology, graph: StageGraph): Problem[] {
  const nodes = new Map(spec.nodes.map((node) => [node.id, node]));
  const places = placesOf(topology);
  return [...byPair(dependencies(spec)).values()].flatMap((reasons): Problem[] => {
    const [from, to] = [nodes.get(reasons[0]?.from ?? ''), nodes.get(reasons[0]?.to ?? '')];
    const [a, b] = [places.get(from?.id ?? ''), places.get(to?.id ?? '')];
    // A call in no stage is told of as missing.
    if (!from || !to || !a || !b || runsAfter(b, a, graph)) return [];
    const how = runsAfter(a, b, graph) ? 'before' : 'beside';
    return [{ ...explain(from, to, reasons, how), pointer: jsonPointer('stages', b.stage, 'nodes', b.position) }];
  });
}

function runsAfter(late: Place, early: Place, { ancestors }: StageGraph): boolean {
  return late.stage === early.stage ? early.position < late.position : (ancestors[late.stage]?.has(early.stage) ?? false);
}

/** The first of the reasons in the order in which a reader would want to know them. */
function explain(from: NodeSpec, to: NodeSpec, reasons: readonly Dependency[], how: 'before' | 'beside'): Omit<Problem, 'pointer'> {
  const runs = `${to.id} runs ${how} ${from.id}`;
  const because = (reason: Dependency['reason']): boolean => reasons.some((dependency) => dependency.reason === reason);
  if (because('field')) {
    const fields = quoted(reasons.flatMap(({ field }) => field ?? []));
    return { code: 'READ_BEFORE_WRITE', message: `${runs} but reads ${fields}, which that function writes.` };
  }
  if (because('scope')) {
    if (from.kind === 'expand') return { code: 'SCOPE_ORDER', message: `${runs} but works on the children that ${from.id} makes.` };
    return { code: 'CHILD_FILTER_ORDER', message: `${runs} but must not see the children that ${from.id} drops.` };
  }
  if (because('filter')) {
    if (to.kind !== 'filter')
      return {
        code: how === 'before' ? 'WRITE_BEFORE_FILTER' : 'WRITE_BESIDE_FILTER',
        message: `${runs} and would write records that ${from.id} drops.`,
      };
    return {
      code: 'FILTER_ORDER',
      message: `${runs}, but filters keep their written order: the reason of a dropped record is that of the first.`,
    };
  }
  if (because('upstream'))
    return {
      code: how === 'before' ? 'WRITE_BEFORE_UPSTREAM' : 'WRITE_BESIDE_UPSTREAM',
      message: `${runs} and would write records that ${from.id} refuses.`,
    };
  const order = `so they keep their written order: ${from.id}, then ${to.id}.`;
  if (because('resource')) {
    const resources = quoted(reasons.flatMap(({ resource }) => resource ?? []));
    return { code: 'RESOURCE_ORDER', message: `${runs}, but both use ${resources} and one of them writes, ${order}` };
  }
  return { code: 'WRITE_ORDER', message: `${runs}, but both write, ${order}` };
}

function quoted(names: readonly string[]): string {
  return listed(names.map((name) => `'${name}'`));
}

function byPair(all: readonly Dependency[]): Map<string, Dependency[]> {
  const pairs = new Map<string, Dependency[]>();
  for (const dependency of all) {
    const pair = JSON.stringify([dependency.from, dependency.to]);
    const reasons = pairs.get(pair);
    if (reasons) reasons.push(dependency);
    else pairs.set(pair, [dependency]);
  }
  return pairs;
}

/** Of a call that is named twice, the first place counts; the second is told of as a duplicate. */
function placesOf({ stages }: Topology): Map<string, Place> {
  const places = new Map<string, Place>();
  stages.forEach(({ nodes }, stage) => nodes.forEach((id, position) => places.has(id) || places.set(id, { stage, position })));
  return places;
}
