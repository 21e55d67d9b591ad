import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { dependencyOracle as dependencies } from './testing/dependency-oracle.js';
import { jsonPointer } from './json-pointer.js';
import type { StageGraph } from './stage-graph.js';
import type { Problem, Topology } from './topology.js';
import { listed } from './words.js';

type Dependency = ReturnType<typeof dependencies>[number];

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

function explain(from: NodeSpec, to: NodeSpec, reasons: readonly Dependency[], how: 'before' | 'beside'): Omit<Problem, 'pointer'> {
  const runs = `${to.id} runs ${how} ${from.id}`;
  const fields = reasons.flatMap(({ field }) => field ?? []);
  if (fields.length > 0) return { code: 'READ_BEFORE_WRITE', message: `${runs} but reads ${quoted(fields)}, which that function writes.` };
  if (from.kind === 'expand' && to.scope.includes(from.id)) return { code: 'SCOPE_ORDER', message: `${runs} but works on the children that ${from.id} makes.` };
  if (from.kind === 'filter' && from.scope.length > 0) return { code: 'CHILD_FILTER_ORDER', message: `${runs} but must not see the children that ${from.id} drops.` };
  if (from.kind === 'filter' && to.kind === 'filter')
    return { code: 'FILTER_ORDER', message: `${runs}, but filters keep their written order: the reason of a dropped record is that of the first.` };
  if (from.kind === 'filter') return { code: how === 'before' ? 'WRITE_BEFORE_FILTER' : 'WRITE_BESIDE_FILTER', message: `${runs} and would write records that ${from.id} drops.` };
  const resources = reasons.flatMap(({ resource }) => resource ?? []);
  if (resources.length > 0)
    return { code: 'RESOURCE_ORDER', message: `${runs}, but both use ${quoted(resources)} and one of them writes, so they keep their written order: ${from.id}, then ${to.id}.` };
  return { code: 'WRITE_ORDER', message: `${runs}, but both write, so they keep their written order: ${from.id}, then ${to.id}.` };
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
