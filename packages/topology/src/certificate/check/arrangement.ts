import { stageName } from '../../stage-name.js';
import type { Topology } from '../../topology.js';

/**
 * A topology as an order: which stages are done before which, all of it, and not only the waits that make it so. It is another picture than
 * the one that rewrites edit, so that a mistake in theirs shows here.
 */
export interface Arrangement {
  readonly stages: ReadonlyMap<string, { readonly nodes: readonly string[]; readonly partitions: number }>;
  /** What stages leave out of what they write on, of those that leave out anything. */
  readonly dropped: ReadonlyMap<string, { readonly fields: ReadonlySet<string>; readonly children: ReadonlySet<string> }>;
  /** All stages that are done before a stage starts. In a circle a stage is before itself. */
  readonly earlier: ReadonlyMap<string, ReadonlySet<string>>;
  readonly batch: Topology['batch'];
  readonly lingerMs: number;
}

export function arrangementOf({ stages, batch, lingerMs }: Topology): Arrangement {
  const earlier = closed(new Map(stages.map(({ name, after }) => [name, new Set(after)])));
  const dropped = stages.flatMap(({ name, drops }) =>
    drops ? [[name, { fields: new Set(drops.fields), children: new Set(drops.children) }] as const] : [],
  );
  const places = stages.map(({ name, nodes, partitions }) => [name, { nodes, partitions }] as const);
  return { stages: new Map(places), dropped: new Map(dropped), earlier, batch, lingerMs };
}

/** Of all the topologies that make this order the one with the fewest waits. */
export function leanest({ stages, dropped, earlier, batch, lingerMs }: Arrangement): Topology {
  return {
    stages: [...stages].map(([name, { nodes, partitions }]) => {
      const before = [...(earlier.get(name) ?? [])];
      const after = before.filter((one) => !before.some((other) => earlier.get(other)?.has(one)));
      const left = dropped.get(name);
      return { name, nodes, partitions, after, ...(left && { drops: { fields: [...left.fields], children: [...left.children] } }) };
    }),
    batch,
    lingerMs,
  };
}

/** Whether the first node is done before the second starts. */
export function nodeOrder({ stages, earlier }: Arrangement): (first: string, second: string) => boolean {
  const home = new Map<string, string>();
  for (const [name, { nodes }] of stages) for (const node of nodes) home.set(node, name);
  return (first, second) => {
    const [a, b] = [home.get(first) ?? '', home.get(second) ?? ''];
    const inOne = stages.get(a)?.nodes ?? [];
    return a === b ? inOne.indexOf(first) < inOne.indexOf(second) : (earlier.get(b)?.has(a) ?? false);
  };
}

export function isCircular({ earlier }: Arrangement): boolean {
  return [...earlier].some(([name, before]) => before.has(name));
}

/** Adds what follows from what is there: who is before one that is before me is before me. (Warshall.) */
export function closed(earlier: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> {
  const all = new Map([...earlier].map(([name, before]) => [name, new Set(before)]));
  for (const [middle, beforeMiddle] of all)
    for (const before of all.values()) if (before.has(middle)) for (const one of beforeMiddle) before.add(one);
  return all;
}

/** The same order with stages under other names: `names(old)` are the new ones, in running order; none: the stage is gone. */
export function relabelled(
  arrangement: Arrangement,
  names: (old: string) => readonly string[],
  nodesOf: (name: string) => readonly string[],
): Arrangement {
  const stages = new Map<string, { nodes: readonly string[]; partitions: number }>();
  const earlier = new Map<string, Set<string>>();
  for (const [old, { partitions }] of arrangement.stages)
    names(old).forEach((name, i, parts) => {
      stages.set(name, { nodes: nodesOf(name), partitions });
      const before = earlier.get(name) ?? new Set();
      for (const one of arrangement.earlier.get(old) ?? []) for (const other of names(one)) if (other !== name) before.add(other);
      for (const part of parts.slice(0, i)) before.add(part);
      earlier.set(name, before);
    });
  return { ...arrangement, stages, earlier: closed(earlier) };
}

/** The same order with the nodes of some stages changed; a stage left without nodes is gone. */
export function refilled(arrangement: Arrangement, changes: ReadonlyMap<string, readonly string[]>): Arrangement {
  const filled = new Map<string, readonly string[]>();
  const rename = new Map<string, readonly string[]>();
  for (const [old, nodes] of changes) {
    rename.set(old, nodes.length === 0 ? [] : [stageName(nodes)]);
    if (nodes.length > 0) filled.set(stageName(nodes), nodes);
  }
  const names = (old: string): readonly string[] => rename.get(old) ?? [old];
  return relabelled(arrangement, names, (name) => filled.get(name) ?? arrangement.stages.get(name)?.nodes ?? []);
}
