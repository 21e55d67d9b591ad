import type { PipelineSpec } from '@autoflow/pipeline';
import { diffTopologies, type Change } from './diff.js';
import { admitted, escaped } from './mermaid.js';
import type { Topology } from './topology.js';

/** Of stages and of the arrows between them. */
type Side = 'both' | 'only-before' | 'only-after';
const ARROW = { both: '-->', 'only-before': '-.->', 'only-after': '==>' } as const;
const STYLES = [
  '  classDef added stroke:#1a7f37,stroke-width:3px',
  '  classDef removed stroke:#cf222e,stroke-dasharray:5 5',
  '  classDef moved stroke:#0969da,stroke-width:3px',
];

/**
 * Both graphs in one Mermaid flowchart. Stages are the same where they run the same functions in the same order. Of the second alone: class `added`,
 * thick arrows; of the first alone: class `removed`, dotted arrows. A function that runs earlier has a `↑` behind it, one that runs later a `↓`, and a
 * stage of both with such a one the class `moved`.
 */
export function diffToMermaid(spec: PipelineSpec, a: Topology, b: Topology): string {
  const marks = new Map(diffTopologies(spec, a, b).flatMap(markOf));
  const [before, after] = [drawn(a), drawn(b)];
  const ids = new Map([...new Set([...after.stages.keys(), ...before.stages.keys()])].map((key, i) => [key, `s${i}`]));
  const boxes = [...ids].map(([key, id]) => {
    const side = sideOf(before.stages, after.stages, key);
    const { nodes, partitions } = (after.stages.get(key) ?? before.stages.get(key))!;
    const was = before.stages.get(key)?.partitions ?? partitions;
    const title = nodes.map((node) => escaped(node) + (side === 'only-before' ? '' : (marks.get(node) ?? ''))).join('<br/>');
    const parts = partitions > 1 || was > 1 ? `<br/>× ${partitions}${was === partitions ? '' : ` (was ${was})`}` : '';
    return `  ${id}["${title}${parts}"]${classOf(
      side,
      nodes.some((node) => marks.has(node)),
    )}`;
  });
  const arrows = [...new Set([...after.arrows.keys(), ...before.arrows.keys()])].map((key) => {
    const [from, to] = (after.arrows.get(key) ?? before.arrows.get(key))!.map((end) => ids.get(end) ?? end);
    return `  ${from} ${ARROW[sideOf(before.arrows, after.arrows, key)]} ${to}`;
  });
  const [now, was] = [admitted(b), admitted(a)];
  const batch = now === was ? now : `${now}<br/>was: ${was}`;
  return `${['flowchart LR', `  in(["${batch}"])`, ...boxes, '  out(["outcomes"])', ...arrows, ...STYLES].join('\n')}\n`;
}

/** By what they run; arrows by both of their ends. */
interface Drawn {
  readonly stages: ReadonlyMap<string, Topology['stages'][number]>;
  readonly arrows: ReadonlyMap<string, readonly [string, string]>;
}

function drawn({ stages }: Topology): Drawn {
  const keys = new Map(stages.map(({ name, nodes }) => [name, JSON.stringify(nodes)]));
  const waitedFor = new Set(stages.flatMap(({ after }) => after));
  const arrows = stages.flatMap(({ name, after }): [string, string][] => {
    const key = keys.get(name)!;
    const from = after.flatMap((one) => keys.get(one) ?? []);
    return [
      ...(from.length === 0 ? ['in'] : from).map((one): [string, string] => [one, key]),
      ...(waitedFor.has(name) ? [] : [[key, 'out'] as [string, string]]),
    ];
  });
  return {
    stages: new Map(stages.map((stage) => [keys.get(stage.name)!, stage])),
    arrows: new Map(arrows.map((arrow) => [arrow.join(' '), arrow])),
  };
}

function markOf(change: Change): [string, string][] {
  if (change.kind === 'moved-earlier') return [[change.node, ' ↑']];
  return change.kind === 'moved-later' ? [[change.node, ' ↓']] : [];
}

function sideOf(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>, key: string): Side {
  if (!before.has(key)) return 'only-after';
  return after.has(key) ? 'both' : 'only-before';
}

function classOf(side: Side, isMoved: boolean): string {
  if (side === 'both') return isMoved ? ':::moved' : '';
  return side === 'only-after' ? ':::added' : ':::removed';
}
