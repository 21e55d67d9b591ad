import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten } from './as-written.js';
import { validateTopology } from './legality.js';
import { stageName } from './stage-name.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle } from './testing/index.js';
import { node, orders } from './testing/example.js';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { Problem, Topology } from './topology.js';

/** Stages in running order; each waits for the one before, unless it says otherwise. */
function topology(
  stages: readonly (readonly string[] | { nodes: readonly string[]; after?: readonly string[]; partitions?: number; name?: string })[],
  batch = 10,
): Topology {
  const made = stages.map((stage) => ('nodes' in stage ? stage : { nodes: stage as readonly string[] }));
  const names = made.map(({ nodes }) => stageName(nodes));
  return {
    stages: made.map((stage, i) => ({ name: names[i] ?? '', after: i === 0 ? [] : [names[i - 1] ?? ''], partitions: 1, ...stage })),
    batch: { records: batch, bytes: 8 << 20 },
    lingerMs: 0,
  };
}
const pipeline = (...nodes: PipelineSpec['nodes']): PipelineSpec => ({
  ...orders,
  name: 'p',
  nodes,
  resources: [{ name: 'db', secrets: [] }],
});
const found = (problems: readonly Problem[]): string[] => problems.map(({ code, pointer, message }) => `${code} ${pointer} ${message}`);

describe('validateTopology', () => {
  it('accepts a fused, reordered, parallel topology of the example', () => {
    const better = topology([
      ['is-sale', 'find-currency', 'look-up-rate'],
      { nodes: ['split-lines', 'revenue-by-category', 'score-fraud'], after: [], partitions: 4 },
      { nodes: ['store-order'], after: ['split-lines+revenue-by-category+score-fraud', 'is-sale+find-currency+look-up-rate'] },
    ]);
    expect(validateTopology(orders, better)).toEqual([]);
  });

  it('accepts every topology that respects the dependencies', () => {
    const legal = arbitraryPipelineSpec({ maxNodes: 15 }).chain((spec) =>
      fc.tuple(fc.constant(spec), arbitraryLegalTopology(spec, dependencyOracle(spec))),
    );
    fc.assert(
      fc.property(legal, ([spec, made]) => {
        expect(validateTopology(spec, made)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every topology in which a dependent pair is swapped, and names both', () => {
    const swapped = arbitraryPipelineSpec({ maxNodes: 15 })
      .filter((spec) => dependencyOracle(spec).length > 0)
      .chain((spec) =>
        fc.tuple(fc.constant(spec), arbitraryLegalTopology(spec, dependencyOracle(spec)), fc.constantFrom(...dependencyOracle(spec))),
      );
    fc.assert(
      fc.property(swapped, ([spec, made, { from, to }]) => {
        const exchange = (id: string): string => (id === from ? to : id === to ? from : id);
        const renamed = new Map(made.stages.map(({ name, nodes }) => [name, stageName(nodes.map(exchange))]));
        const stages = made.stages.map((stage) => ({
          ...stage,
          name: renamed.get(stage.name) ?? '',
          nodes: stage.nodes.map(exchange),
          after: stage.after.map((name) => renamed.get(name) ?? ''),
        }));
        const messages = validateTopology(spec, { ...made, stages }).map(({ message }) => message);
        expect(messages).toContainEqual(expect.stringMatching(`^${to} runs before ${from}\\b`));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every topology in which a dependent pair is torn apart, as running beside each other', () => {
    const specs = arbitraryPipelineSpec({ maxNodes: 10 }).filter((spec) => dependencyOracle(spec).length > 0);
    fc.assert(
      fc.property(specs, (spec) => {
        const unordered = { ...asWritten(spec), stages: asWritten(spec).stages.map((stage) => ({ ...stage, after: [] })) };
        const pairs = new Set(dependencyOracle(spec).map(({ from, to }) => `${to} runs beside ${from}`));
        const messages = validateTopology(spec, unordered).map(({ message }) => message);
        for (const pair of pairs) expect(messages).toContainEqual(expect.stringMatching(`^${pair}\\b`));
        expect(messages).toHaveLength(pairs.size);
      }),
    );
  });

  it('says what is read too early, by whom, and who writes it', () => {
    const early = topology([
      ['find-currency', 'look-up-rate'],
      ['score-fraud'],
      ['split-lines', 'revenue-by-category'],
      ['is-sale'],
      ['store-order'],
    ]);
    expect(validateTopology(orders, early)).toEqual([
      {
        code: 'READ_BEFORE_WRITE',
        pointer: '/stages/1/nodes/0',
        message: "score-fraud runs before revenue-by-category but reads 'revenue', which that function writes.",
      },
    ]);
  });

  it('refuses a write before or beside a filter', () => {
    const late = topology([
      ['find-currency', 'look-up-rate'],
      ['split-lines', 'revenue-by-category', 'score-fraud'],
      ['store-order'],
      ['is-sale'],
    ]);
    expect(found(validateTopology(orders, late))).toEqual([
      'WRITE_BEFORE_FILTER /stages/2/nodes/0 store-order runs before is-sale and would write records that is-sale drops.',
    ]);
    const beside = topology([
      ['find-currency', 'look-up-rate', 'split-lines', 'revenue-by-category', 'score-fraud'],
      ['store-order'],
      { nodes: ['is-sale'], after: ['find-currency+look-up-rate+split-lines+revenue-by-category+score-fraud'] },
    ]);
    expect(found(validateTopology(orders, beside))).toEqual([
      'WRITE_BESIDE_FILTER /stages/1/nodes/0 store-order runs beside is-sale and would write records that is-sale drops.',
    ]);
  });

  it('refuses a write before or beside what its records have passed as written, though it reads nothing of it', () => {
    const spec = pipeline(node('check'), node('store', { effect: 'idempotent-write', inputs: ['check'] }));
    expect(found(validateTopology(spec, topology([['store', 'check']])))).toEqual([
      'WRITE_BEFORE_UPSTREAM /stages/0/nodes/0 store runs before check and would write records that check refuses.',
    ]);
    expect(found(validateTopology(spec, topology([['check'], { nodes: ['store'], after: [] }])))).toEqual([
      'WRITE_BESIDE_UPSTREAM /stages/1/nodes/0 store runs beside check and would write records that check refuses.',
    ]);
    const beside = pipeline(node('check'), node('store', { effect: 'idempotent-write' }));
    expect(validateTopology(beside, topology([['store', 'check']]))).toEqual([]);
  });

  it('keeps the written order of users of a resource, of writes and of filters', () => {
    const use = { uses: ['db'] };
    const shared = pipeline(node('read-stock', { effect: 'read', ...use }), node('book', { effect: 'idempotent-write', ...use }));
    expect(found(validateTopology(shared, topology([['book', 'read-stock']])))).toEqual([
      "RESOURCE_ORDER /stages/0/nodes/0 book runs before read-stock, but both use 'db' and one of them writes, so they keep their written order: read-stock, then book.",
    ]);
    const readers = pipeline(node('a', { effect: 'read', ...use }), node('b', { effect: 'read', ...use }));
    expect(validateTopology(readers, topology([['b', 'a']]))).toEqual([]);
    const writes = pipeline(node('w1', { effect: 'idempotent-write' }), node('w2', { effect: 'idempotent-write' }));
    expect(found(validateTopology(writes, topology([['w2'], ['w1']])))).toEqual([
      'WRITE_ORDER /stages/0/nodes/0 w2 runs before w1, but both write, so they keep their written order: w1, then w2.',
    ]);
    const filters = pipeline(node('f', { kind: 'filter' }), node('g', { kind: 'filter' }));
    expect(found(validateTopology(filters, topology([['g', 'f']])))).toEqual([
      'FILTER_ORDER /stages/0/nodes/0 g runs before f, but filters keep their written order: the reason of a dropped record is that of the first.',
    ]);
  });

  it('keeps what works on children behind the expand and behind the filters of the children', () => {
    const scope = ['lines'];
    const spec = pipeline(
      node('lines', { kind: 'expand' }),
      node('keep', { kind: 'filter', inputs: ['lines'], scope }),
      node('count', { kind: 'reduce', inputs: ['keep'], scope, writes: ['n'] }),
    );
    expect(found(validateTopology(spec, topology([['count', 'keep', 'lines']])))).toEqual([
      'SCOPE_ORDER /stages/0/nodes/1 keep runs before lines but works on the children that lines makes.',
      'SCOPE_ORDER /stages/0/nodes/0 count runs before lines but works on the children that lines makes.',
      'CHILD_FILTER_ORDER /stages/0/nodes/0 count runs before keep but must not see the children that keep drops.',
    ]);
  });

  it('lists every problem of a hopeless topology at once, each at its place', () => {
    const spec = pipeline(
      node('a', { writes: ['x'] }),
      node('b', { reads: ['x'], inputs: ['a'] }),
      node('w', { effect: 'write', inputs: ['b'] }),
      node('z'),
    );
    const hopeless: Topology = {
      stages: [
        { name: 'b+a', nodes: ['b', 'a'], after: ['nowhere'], partitions: 0 },
        { name: 'w+b', nodes: ['w', 'b'], after: ['b+a', 'b+a'], partitions: 20 },
        { name: 'x', nodes: ['ghost'], after: ['y'], partitions: 1 },
        { name: 'x', nodes: [], after: ['x'], partitions: 1 },
        { name: 'y', nodes: ['y'], after: ['x'], partitions: 1.5 },
      ],
      batch: { records: 10, bytes: 1 },
      lingerMs: -1,
    };
    expect(validateTopology(spec, hopeless).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'OUT_OF_BOUNDS /stages/0/partitions',
      'OUT_OF_BOUNDS /stages/4/partitions',
      'EMPTY_PARTITIONS /stages/1/partitions',
      'OUT_OF_BOUNDS /batch/bytes',
      'OUT_OF_BOUNDS /lingerMs',
      'UNKNOWN_STAGE /stages/0/after/0',
      'DUPLICATE_AFTER /stages/1/after/1',
      'WRONG_STAGE_NAME /stages/2/name',
      'WRONG_STAGE_NAME /stages/3/name',
      'DUPLICATE_STAGE /stages/3/name',
      'DUPLICATE_NODE /stages/1/nodes/1',
      'UNKNOWN_NODE /stages/2/nodes/0',
      'EMPTY_STAGE /stages/3/nodes',
      'UNKNOWN_NODE /stages/4/nodes/0',
      'MISSING_NODE /stages',
      'CYCLE /stages/2/after/0',
      'WRITE_FUSED /stages/1/nodes/0',
      'READ_BEFORE_WRITE /stages/0/nodes/0',
    ]);
  });

  it('names the stages of a cycle, the shortest way round, once', () => {
    const spec = pipeline(...['a', 'b', 'c', 'd', 'e'].map((id) => node(id)));
    const round = topology([
      { nodes: ['a'], after: ['c'] },
      ['b'],
      { nodes: ['c'], after: ['d', 'b'] },
      { nodes: ['d'], after: ['b'] },
      { nodes: ['e'], after: ['e'] },
    ]);
    expect(found(validateTopology(spec, round))).toEqual([
      'CYCLE /stages/0/after/0 the stages wait for each other: a waits for c waits for b waits for a.',
      'CYCLE /stages/4/after/0 e waits for itself.',
    ]);
  });

  it('refuses more stages on a resource than it allows instances', () => {
    const use = { effect: 'read', uses: ['db'] } as const;
    const spec = { ...pipeline(node('a', use), node('b', use)), resources: [{ name: 'db', secrets: [], limit: { concurrency: 1 } }] };
    expect(found(validateTopology(spec, topology([['a'], ['b']])))).toEqual([
      "RESOURCE_LIMIT /stages resource 'db' allows 1 at once, but 2 stages use it: a and b. Fuse some of these stages, or raise the limit of the resource to 2.",
    ]);
    expect(validateTopology(spec, topology([['a', 'b']]))).toEqual([]);
  });
});
