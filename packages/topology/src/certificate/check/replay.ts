import { stageName } from '../../stage-name.js';
import type { Step } from '../../rewrites/all.js';
import { closed, refilled, relabelled, type Arrangement } from './arrangement.js';

/** What a step makes of an order; undefined when it names a stage or node that is not there. A step that changes the order forgets what stages dropped. */
export function replay(now: Arrangement, step: Step): Arrangement | undefined {
  const next = changed(now, step);
  const sameOrder = ['partition', 'batch-size', 'linger', 'drop-dead-fields'].includes(step.rewrite);
  return next && !sameOrder ? { ...next, dropped: new Map() } : next;
}

function changed(now: Arrangement, step: Step): Arrangement | undefined {
  switch (step.rewrite) {
    case 'fuse':
      return fused(now, step.first, step.second);
    case 'split':
      return divided(now, step.stage, step.at);
    case 'reorder-nodes':
      return swapped(now, step.stage, step.at);
    case 'reorder-stages':
      return reordered(now, step.first, step.second, true);
    case 'parallelise':
      return reordered(now, step.first, step.second, false);
    case 'serialise':
      return now.stages.has(step.first) && now.stages.has(step.second) && step.first !== step.second
        ? withOrder(now, step.first, step.second)
        : undefined;
    case 'move':
      return moved(now, step.node, step.to);
    case 'filter-earlier':
      return advanced(now, step.filter, step.before);
    case 'partition':
      return parted(now, step.stage, step.partitions);
    case 'batch-size':
      return { ...now, batch: { records: step.records, bytes: step.bytes } };
    case 'linger':
      return { ...now, lingerMs: step.lingerMs };
    case 'drop-dead-fields':
      return dropping(now, step.stage, step.fields, step.children);
  }
}

function fused(now: Arrangement, first: string, second: string): Arrangement | undefined {
  const [a, b] = [now.stages.get(first), now.stages.get(second)];
  if (!a || !b || first === second || now.earlier.get(first)?.has(second)) return undefined;
  const nodes = [...a.nodes, ...b.nodes];
  const name = stageName(nodes);
  const one = relabelled(
    now,
    (old) => (old === first || old === second ? [name] : [old]),
    (old) => (old === name ? nodes : (now.stages.get(old)?.nodes ?? [])),
  );
  return { ...one, stages: new Map([...one.stages, [name, { nodes, partitions: a.partitions }]]) };
}

function divided(now: Arrangement, stage: string, at: number): Arrangement | undefined {
  const nodes = now.stages.get(stage)?.nodes;
  if (!nodes || !(at > 0 && at < nodes.length)) return undefined;
  const parts = new Map([nodes.slice(0, at), nodes.slice(at)].map((part) => [stageName(part), part]));
  return relabelled(
    now,
    (old) => (old === stage ? [...parts.keys()] : [old]),
    (name) => parts.get(name) ?? now.stages.get(name)?.nodes ?? [],
  );
}

function swapped(now: Arrangement, stage: string, at: number): Arrangement | undefined {
  const nodes = [...(now.stages.get(stage)?.nodes ?? [])];
  const [a, b] = [nodes[at], nodes[at + 1]];
  if (a === undefined || b === undefined) return undefined;
  nodes.splice(at, 2, b, a);
  return refilled(now, new Map([[stage, nodes]]));
}

/** Only neighbours can lose their order: with a stage between them it would follow from the rest. */
function reordered(now: Arrangement, first: string, second: string, reversed: boolean): Arrangement | undefined {
  if (!now.earlier.get(second)?.has(first)) return undefined;
  const before = new Map([...now.earlier].map(([name, earlier]) => [name, new Set(earlier)]));
  before.get(second)?.delete(first);
  const free = { ...now, earlier: closed(before) };
  return reversed ? withOrder(free, second, first) : free;
}

function withOrder(now: Arrangement, first: string, second: string): Arrangement {
  const before = new Map([...now.earlier].map(([name, earlier]) => [name, new Set(earlier)]));
  before.get(second)?.add(first);
  return { ...now, earlier: closed(before) };
}

function moved(now: Arrangement, node: string, to: string): Arrangement | undefined {
  const [home, target] = [homeOf(now, node), now.stages.get(to)];
  if (home === undefined || !target || home === to) return undefined;
  const forwards = now.earlier.get(to)?.has(home);
  if (!forwards && !now.earlier.get(home)?.has(to)) return undefined;
  const left = (now.stages.get(home)?.nodes ?? []).filter((id) => id !== node);
  if (left.length === 0) return undefined;
  const changes = [
    [home, left],
    [to, forwards ? [node, ...target.nodes] : [...target.nodes, node]],
  ] as const;
  return refilled(now, new Map(changes));
}

function advanced(now: Arrangement, filter: string, before: string | undefined): Arrangement | undefined {
  const [home, target] = [homeOf(now, filter), before === undefined ? undefined : homeOf(now, before)];
  if (home === undefined || filter === before || (before !== undefined && target === undefined)) return undefined;
  const left = (now.stages.get(home)?.nodes ?? []).filter((id) => id !== filter);
  if (before === undefined) return inFront(refilled(now, new Map([[home, left]])), filter);
  if (target !== home && !now.earlier.get(home)?.has(target ?? '')) return undefined;
  const nodes = target === home ? left : (now.stages.get(target ?? '')?.nodes ?? []);
  const joined = nodes.flatMap((id) => (id === before ? [filter, id] : [id]));
  return refilled(now, new Map<string, readonly string[]>([...(target === home ? [] : [[home, left] as const]), [target ?? '', joined]]));
}

function inFront(rest: Arrangement, filter: string): Arrangement {
  const name = stageName([filter]);
  const earlier = new Map([...rest.earlier].map(([stage, before]) => [stage, new Set([...before, name])]));
  return {
    ...rest,
    stages: new Map([[name, { nodes: [filter], partitions: 1 }], ...rest.stages]),
    earlier: earlier.set(name, new Set()),
  };
}

function parted(now: Arrangement, stage: string, partitions: number): Arrangement | undefined {
  const found = now.stages.get(stage);
  return found && { ...now, stages: new Map([...now.stages, [stage, { ...found, partitions }]]) };
}

function dropping(now: Arrangement, stage: string, fields: readonly string[], children: readonly string[]): Arrangement | undefined {
  if (!now.stages.has(stage)) return undefined;
  const dropped = new Map(now.dropped);
  if (fields.length + children.length === 0) dropped.delete(stage);
  else dropped.set(stage, { fields: new Set(fields), children: new Set(children) });
  return { ...now, dropped };
}

function homeOf({ stages }: Arrangement, node: string): string | undefined {
  return [...stages].find(([, { nodes }]) => nodes.includes(node))?.[0];
}
