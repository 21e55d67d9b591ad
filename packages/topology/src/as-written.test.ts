import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten } from './as-written.js';
import { hashTopology } from './hash.js';
import { validateTopology } from './legality.js';
import { arbitraryPipelineSpec } from './testing/index.js';
import { node, orders } from './testing/example.js';

describe('asWritten', () => {
  it('has one stage per call, in written order, waiting for what it is called on', () => {
    const { stages, batch, lingerMs } = asWritten(orders);
    expect(stages.map(({ name, nodes, after, partitions }) => ({ name, nodes, after, partitions }))).toEqual(
      orders.nodes.map(({ id, inputs }) => ({ name: id, nodes: [id], after: inputs, partitions: 1 })),
    );
    expect({ batch, lingerMs }).toEqual({ batch: { records: 1, bytes: 8 * 1024 * 1024 }, lingerMs: 0 });
  });

  it('is always legal', () => {
    const specs = arbitraryPipelineSpec({ maxNodes: 20 });
    fc.assert(
      fc.property(specs, (spec) => {
        expect(validateTopology(spec, asWritten(spec))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('lets branches run beside each other, joins them, and leaves out what another stage waits for already', () => {
    const spec = {
      ...orders,
      nodes: [node('a'), node('b', { inputs: ['a'] }), node('c', { inputs: ['a'] }), node('d', { inputs: ['a', 'c', 'b'] })],
    };
    expect(Object.fromEntries(asWritten(spec).stages.map(({ name, after }) => [name, after]))).toEqual({
      a: [],
      b: ['a'],
      c: ['a'],
      d: ['c', 'b'],
    });
  });

  it('keeps the written order of branches that both write, share a resource or filter', () => {
    const writes = { ...orders, nodes: [node('w1', { effect: 'write' }), node('w2', { effect: 'idempotent-write' })] };
    const shared = { ...orders, nodes: [node('r', { effect: 'read', uses: ['db'] }), node('w', { effect: 'write', uses: ['db'] })] };
    const filters = { ...orders, nodes: [node('f', { kind: 'filter' }), node('g', { kind: 'filter' })] };
    for (const spec of [writes, shared, filters]) expect(asWritten(spec).stages[1]?.after).toEqual([spec.nodes[0]?.id]);
  });

  it('of a pipeline without functions has no stage', () => {
    expect(asWritten({ ...orders, nodes: [] }).stages).toEqual([]);
  });

  it.each([60, 300])('of a chain of %i calls and of as many branches is made and checked at once', (count) => {
    const id = (i: number): string => `step-${i}`;
    const chain = Array.from({ length: count }, (_, i) =>
      node(id(i), { inputs: i === 0 ? [] : [id(i - 1)], reads: i === 0 ? [] : [`f${i - 1}`], writes: [`f${i}`] }),
    );
    const branches = Array.from({ length: count }, (_, i) => node(id(i), { writes: [`f${i}`] }));
    const join = node('join', { inputs: branches.map((branch) => branch.id), reads: branches.flatMap((branch) => branch.writes) });
    for (const nodes of [chain, [...branches, join]]) {
      const topology = asWritten({ ...orders, nodes });
      expect(validateTopology({ ...orders, nodes }, topology)).toEqual([]);
      expect(hashTopology(topology)).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
