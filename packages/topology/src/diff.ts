import type { PipelineSpec } from '@autoflow/pipeline';
import { dropsOf } from './canonical-drops.js';
import { stageGraph } from './stage-graph.js';
import { counted, listed } from './words.js';
import type { Drops, Topology } from './topology.js';

/** One thing that is different in the second topology; `text` says it in words. Stages are named as in the topology they belong to. */
export type Change = { readonly text: string } & (
  | { readonly kind: 'fused'; readonly stage: string; readonly from: readonly string[] }
  | { readonly kind: 'split'; readonly stage: string; readonly into: readonly string[] }
  | { readonly kind: 'moved-earlier' | 'moved-later'; readonly node: string; readonly past: readonly string[] }
  | { readonly kind: 'parallelised' | 'serialised'; readonly nodes: readonly string[]; readonly with: readonly string[] }
  | { readonly kind: 'partitions'; readonly stage: string; readonly from: readonly number[]; readonly to: number }
  | { readonly kind: 'drops'; readonly stage: string; readonly from: Drops; readonly to: Drops }
  | { readonly kind: 'batch-records' | 'batch-bytes' | 'linger'; readonly from: number; readonly to: number }
);

/** What changes when a pipeline runs as `b` and no longer as `a`, the graph first. Empty: nothing that matters to execution or measurement. */
export function diffTopologies(spec: PipelineSpec, a: Topology, b: Topology): Change[] {
  return [...regrouped(a, b), ...reordered(spec, a, b), ...repartitioned(a, b), ...redropped(a, b), ...resized(a, b)];
}

/** Stages of one topology whose nodes come from, or go to, more than one stage of the other. */
function regrouped(a: Topology, b: Topology): Change[] {
  const inA = stageOfNode(a);
  const inB = stageOfNode(b);
  const fused = b.stages.flatMap(({ name, nodes }): Change[] => {
    const from = distinct(nodes.flatMap((node) => inA.get(node) ?? []));
    return from.length < 2 ? [] : [{ kind: 'fused', stage: name, from, text: `${listed(from)} run fused as one stage.` }];
  });
  const split = a.stages.flatMap(({ name, nodes }): Change[] => {
    const into = distinct(nodes.flatMap((node) => inB.get(node) ?? []));
    return into.length < 2 ? [] : [{ kind: 'split', stage: name, into, text: `${name} is split into ${listed(into)}.` }];
  });
  return [...fused, ...split];
}

/** How two nodes stand to each other: -1 the first is done before the second starts, 1 the other way round, 0 beside each other. */
type Relation = (x: string, y: string) => -1 | 0 | 1;

/** Pairs of nodes that stand differently, told as few moves: again and again the node is taken that explains most of the pairs left. */
function reordered(spec: PipelineSpec, a: Topology, b: Topology): Change[] {
  const ids = spec.nodes.map((node) => node.id);
  const [inA, inB] = [relationIn(a), relationIn(b)];
  const pairs = { earlier: new Pairs(), later: new Pairs(), parallel: new Pairs(), serial: new Pairs() };
  for (const [i, x] of ids.entries()) {
    for (const y of ids.slice(i + 1)) {
      const [before, now] = [inA(x, y), inB(x, y)];
      if (before === now) continue;
      if (now === 0) pairs.parallel.add(x, y).add(y, x);
      else if (before === 0) pairs.serial.add(x, y).add(y, x);
      else {
        const [mover, past] = now === -1 ? [x, y] : [y, x];
        pairs.earlier.add(mover, past);
        pairs.later.add(past, mover);
      }
    }
  }
  return [
    ...moves(pairs.earlier, pairs.later),
    ...pairs.parallel.cover().map(([nodes, others]): Change => {
      const text = `${listed(nodes)} ${nodes.length === 1 ? 'runs' : 'run'} beside ${listed(others)}.`;
      return { kind: 'parallelised', nodes, with: others, text };
    }),
    ...pairs.serial.cover().map(([nodes, others]): Change => {
      const text = `${listed(nodes)} no longer ${nodes.length === 1 ? 'runs' : 'run'} beside ${listed(others)}.`;
      return { kind: 'serialised', nodes, with: others, text };
    }),
  ];
}

function moves(earlier: Pairs, later: Pairs): Change[] {
  const changes: Change[] = [];
  for (;;) {
    const [up, down] = [earlier.largest(), later.largest()];
    if (up === undefined || down === undefined) return changes;
    const isUp = up[1].length >= down[1].length;
    const [node, past] = isUp ? up : down;
    for (const other of past) {
      (isUp ? earlier : later).remove(node, other);
      (isUp ? later : earlier).remove(other, node);
    }
    const kind = isUp ? 'moved-earlier' : 'moved-later';
    changes.push({ kind, node, past, text: `${node} runs ${isUp ? 'earlier: before' : 'later: after'} ${listed(past)}.` });
  }
}

/** A relation between nodes, in the order in which it was filled. */
class Pairs {
  private readonly of = new Map<string, Set<string>>();

  add(node: string, other: string): this {
    const others = this.of.get(node) ?? new Set();
    this.of.set(node, others.add(other));
    return this;
  }

  remove(node: string, other: string): void {
    this.of.get(node)?.delete(other);
  }

  /** The node with the most others, if any is left. */
  largest(): [string, string[]] | undefined {
    let best: [string, string[]] | undefined;
    for (const [node, others] of this.of) if (others.size > (best?.[1].length ?? 0)) best = [node, [...others]];
    return best;
  }

  /** Empties a symmetric relation: each pair is told once, with the node that has most, and nodes with the same others together. */
  cover(): [string[], string[]][] {
    const told = new Map<string, [string[], string[]]>();
    for (let best = this.largest(); best !== undefined; best = this.largest()) {
      const [node, others] = best;
      for (const other of others) {
        this.remove(node, other);
        this.remove(other, node);
      }
      const group = JSON.stringify(others);
      const nodes = told.get(group)?.[0];
      if (nodes) nodes.push(node);
      else told.set(group, [[node], others]);
    }
    return [...told.values()];
  }
}

function relationIn(topology: Topology): Relation {
  const { ancestors } = stageGraph(topology);
  const place = new Map(topology.stages.flatMap((stage, s) => stage.nodes.map((node, i) => [node, [s, i] as const])));
  return (x, y) => {
    const [sx, ix] = place.get(x) ?? [-1, -1];
    const [sy, iy] = place.get(y) ?? [-1, -1];
    if (sx === sy) return ix < iy ? -1 : ix > iy ? 1 : 0;
    return ancestors[sy]?.has(sx) ? -1 : ancestors[sx]?.has(sy) ? 1 : 0;
  };
}

function repartitioned(a: Topology, b: Topology): Change[] {
  const before = new Map(a.stages.flatMap((stage) => stage.nodes.map((node) => [node, stage.partitions])));
  return b.stages.flatMap(({ name, nodes, partitions: to }): Change[] => {
    const from = distinct(nodes.flatMap((node) => before.get(node) ?? []));
    if (from.every((partitions) => partitions === to)) return [];
    const text =
      to === 1
        ? `${name} is no longer partitioned (was ${listed(from.map(String))}).`
        : `${name} runs in ${to} partitions (was ${listed(from.map(String))}).`;
    return [{ kind: 'partitions', stage: name, from, to, text }];
  });
}

/** Of stages that are in both; what a new stage drops is told against nothing. */
function redropped(a: Topology, b: Topology): Change[] {
  const none: Drops = { fields: [], children: [] };
  const before = new Map(a.stages.map(({ name, drops }) => [name, drops ?? none]));
  return b.stages.flatMap(({ name, drops: to = none }): Change[] => {
    const from = before.get(name) ?? none;
    if (JSON.stringify(dropsOf(from)) === JSON.stringify(dropsOf(to))) return [];
    const what = [...to.fields, ...to.children.map((expand) => `the children of ${expand}`)];
    const text = what.length === 0 ? `${name} writes on everything.` : `${name} no longer writes on ${listed(what)}.`;
    return [{ kind: 'drops', stage: name, from, to, text }];
  });
}

function resized(a: Topology, b: Topology): Change[] {
  const change = (kind: 'batch-records' | 'batch-bytes' | 'linger', from: number, to: number, text: string): Change[] =>
    from === to ? [] : [{ kind, from, to, text: `${text} (was ${from.toLocaleString('en-US')}).` }];
  return [
    ...change('batch-records', a.batch.records, b.batch.records, `A batch holds up to ${counted(b.batch.records, 'record')}`),
    ...change('batch-bytes', a.batch.bytes, b.batch.bytes, `A batch holds up to ${counted(b.batch.bytes, 'byte')}`),
    ...change('linger', a.lingerMs, b.lingerMs, `A batch waits ${b.lingerMs.toLocaleString('en-US')} ms to fill`),
  ];
}

function stageOfNode(topology: Topology): Map<string, string> {
  return new Map(topology.stages.flatMap((stage) => stage.nodes.map((node) => [node, stage.name])));
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
