import type { Topology } from './topology.js';

/** The stages of a topology by index; names that no stage has, and repeated names beyond the first, are left out. */
export interface StageGraph {
  /** Indexes of the stages that each stage waits for directly. */
  readonly after: readonly (readonly number[])[];
  /** `ancestors[i].has(j)`: stage j is done before stage i starts. In a cycle each stage is an ancestor of itself. */
  readonly ancestors: readonly ReadonlySet<number>[];
}

export function stageGraph(topology: Pick<Topology, 'stages'>): StageGraph {
  const index = new Map<string, number>();
  topology.stages.forEach(({ name }, i) => index.has(name) || index.set(name, i));
  const after = topology.stages.map((stage) => [...new Set(stage.after)].flatMap((name) => index.get(name) ?? []));
  return { after, ancestors: after.map((_, i) => reachable(after, i)) };
}

/** All that can be reached from `start` in one step or more. */
export function reachable(next: readonly (readonly number[])[], start: number): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [...(next[start] ?? [])];
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (found.has(i)) continue;
    found.add(i);
    open.push(...(next[i] ?? []));
  }
  return found;
}

/** For each group of stages that wait for each other, one shortest cycle, as indexes in the order of `after`; the first is not repeated. */
export function cycles({ after, ancestors }: StageGraph): number[][] {
  const seen = new Set<number>();
  const found: number[][] = [];
  ancestors.forEach((above, i) => {
    if (!above.has(i) || seen.has(i)) return;
    for (const j of above) if (ancestors[j]?.has(i)) seen.add(j);
    found.push(shortestCycle(after, i));
  });
  return found;
}

function shortestCycle(after: StageGraph['after'], start: number): number[] {
  const from = new Map<number, number>();
  const queue = [start];
  for (const i of queue) {
    for (const j of after[i] ?? []) {
      if (j === start) return pathTo(i, start, from);
      if (!from.has(j)) {
        from.set(j, i);
        queue.push(j);
      }
    }
  }
  return [start];
}

function pathTo(end: number, start: number, from: ReadonlyMap<number, number>): number[] {
  const path = [end];
  for (let i = end; i !== start;) {
    i = from.get(i) ?? start;
    path.unshift(i);
  }
  return path;
}
