import type { PipelineSpec } from '@autoflow/pipeline';
import fc from 'fast-check';
import { stageName } from '../stage-name.js';
import { DEFAULT_BATCH_BYTES, type Stage, type Topology } from '../topology.js';

type Dependencies = readonly { readonly from: string; readonly to: string }[];

/**
 * Random topologies that respect the given dependencies: a random order of the calls, cut into stages at random, each waiting for the stages
 * it depends on and for some more before it; random partitions, batch size and linger.
 */
export function arbitraryLegalTopology(spec: PipelineSpec, dependencies: Dependencies): fc.Arbitrary<Topology> {
  const count = spec.nodes.length;
  return fc
    .record({
      priority: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: count, maxLength: count }),
      cuts: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
      waits: fc.array(fc.nat(99), { minLength: count, maxLength: count }),
      partitions: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: count, maxLength: count }),
      records: fc.integer({ min: 4, max: 1000 }),
      lingerMs: fc.nat(1000),
    })
    .map(({ priority, cuts, waits, partitions, records, lingerMs }) => {
      const order = shuffled(spec, dependencies, priority);
      const groups = grouped(spec, order, cuts);
      const names = groups.map(stageName);
      const home = new Map(groups.flatMap((nodes, i) => nodes.map((node) => [node, i])));
      const stages = groups.map((nodes, i): Stage => {
        const needed = dependencies.filter(({ to }) => home.get(to) === i).flatMap(({ from }) => home.get(from) ?? []);
        const more = i > 0 && (waits[i] ?? 0) < 50 ? [(waits[i] ?? 0) % i] : [];
        const after = [...new Set([...needed, ...more])].filter((j) => j !== i).map((j) => names[j] ?? '');
        return { name: names[i] ?? '', nodes, after, partitions: partitions[i] ?? 1 };
      });
      return { stages, batch: { records, bytes: DEFAULT_BATCH_BYTES }, lingerMs };
    });
}

/** A topological order: of the calls whose turn it could be, the one with the least priority comes next. */
export function shuffled(spec: PipelineSpec, dependencies: Dependencies, priority: readonly number[]): string[] {
  const left = new Map(spec.nodes.map((node, i) => [node.id, priority[i] ?? 0]));
  const order: string[] = [];
  while (left.size > 0) {
    const ready = [...left.keys()].filter((id) => !dependencies.some(({ from, to }) => to === id && left.has(from)));
    const next = ready.reduce((a, b) => ((left.get(b) ?? 0) < (left.get(a) ?? 0) ? b : a));
    left.delete(next);
    order.push(next);
  }
  return order;
}

/** Cuts an order into stages; a plain write stays alone. */
function grouped(spec: PipelineSpec, order: readonly string[], cuts: readonly boolean[]): string[][] {
  const writes = new Set(spec.nodes.filter((node) => node.effect === 'write').map((node) => node.id));
  const groups: string[][] = [];
  for (const [i, id] of order.entries()) {
    const last = groups.at(-1);
    if (last === undefined || cuts[i] || writes.has(id) || writes.has(last[0] ?? '')) groups.push([id]);
    else last.push(id);
  }
  return groups;
}
