import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten } from '../as-written.js';
import { validateTopology } from '../legality.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle, rewriteAtRandom } from '../testing/index.js';
import { orders } from '../testing/example.js';
import type { Topology } from '../topology.js';
import { applyStep, conditionsOf, dropAllDead, inverseOf, legalSteps, rewrites, sameTopology, StepError, type Step } from './index.js';

const written = asWritten(orders);
const choices = fc.array(fc.tuple(fc.nat(9_999), fc.nat(9_999)), { minLength: 1, maxLength: 10 });

/** `a; b after a`, the partitions if there are any. */
function told({ stages }: Topology): string[] {
  return stages.map(({ name, after, partitions }) =>
    [name, ...(after.length > 0 ? ['after', ...after] : []), ...(partitions > 1 ? [`×${partitions}`] : [])].join(' '),
  );
}

describe('a step', () => {
  it.each<[Step, string[]]>([
    [
      { rewrite: 'fuse', first: 'find-currency', second: 'look-up-rate' },
      ['find-currency+look-up-rate', 'split-lines after find-currency+look-up-rate'],
    ],
    [
      { rewrite: 'reorder-stages', first: 'look-up-rate', second: 'split-lines' },
      ['find-currency', 'split-lines after find-currency', 'look-up-rate after split-lines', 'revenue-by-category after look-up-rate'],
    ],
    [
      { rewrite: 'parallelise', first: 'look-up-rate', second: 'split-lines' },
      [
        'find-currency',
        'look-up-rate after find-currency',
        'split-lines after find-currency',
        'revenue-by-category after look-up-rate split-lines',
      ],
    ],
    [{ rewrite: 'filter-earlier', filter: 'is-sale' }, ['is-sale', 'find-currency after is-sale', 'look-up-rate after find-currency']],
    [
      { rewrite: 'filter-earlier', filter: 'is-sale', before: 'look-up-rate' },
      ['find-currency', 'is-sale+look-up-rate after find-currency', 'split-lines after is-sale+look-up-rate'],
    ],
    [{ rewrite: 'partition', stage: 'find-currency', partitions: 4 }, ['find-currency ×4', 'look-up-rate after find-currency']],
  ])('%j', (step, stages) => {
    const from = step.rewrite === 'partition' ? applyStep(written, { rewrite: 'batch-size', records: 10, bytes: 2048 }) : written;
    expect(legalSteps(orders, from)).toContainEqual(step);
    const next = applyStep(from, step);
    expect(told(next).slice(0, stages.length)).toEqual(stages);
    expect(validateTopology(orders, next)).toEqual([]);
  });

  it('says what is not there', () => {
    expect(() => applyStep(written, { rewrite: 'fuse', first: 'find-currency', second: 'nowhere' })).toThrow(StepError);
    expect(() => applyStep(written, { rewrite: 'filter-earlier', filter: 'nothing' })).toThrow("'nothing' is in no stage");
    expect(() => applyStep(written, { rewrite: 'guess' } as unknown as Step)).toThrow("there is no rewrite 'guess'");
  });

  it('is refused with the facts that decide it', () => {
    const step: Step = { rewrite: 'reorder-stages', first: 'find-currency', second: 'look-up-rate' };
    const failed = conditionsOf({ spec: orders, topology: written, limits: {} }, step).filter(({ holds }) => !holds);
    expect(failed).toEqual([
      {
        condition: 'fields-disjoint',
        on: ['find-currency', 'look-up-rate'],
        holds: false,
        facts: { writes: ['currency'], reads: ['currency'], upstream: true, sameScope: true },
      },
    ]);
  });
});

it('every candidate from any legal topology is legal, and the steps of one call stay apart from its topology', () => {
  const legal = arbitraryPipelineSpec({ maxNodes: 8 }).chain((spec) =>
    fc.tuple(fc.constant(spec), arbitraryLegalTopology(spec, dependencyOracle(spec))),
  );
  fc.assert(
    fc.property(legal, fc.nat(9_999), ([spec, topology], pick) => {
      const before = structuredClone(topology);
      for (const { candidates } of rewrites) {
        const found = candidates(spec, topology);
        const step = found[pick % Math.max(1, found.length)];
        if (step) expect(validateTopology(spec, applyStep(topology, step))).toEqual([]);
      }
      expect(topology).toEqual(before);
    }),
    { numRuns: 200 },
  );
});

it('an inverse leads back, legally; most steps have one', () => {
  let [steps, inverted] = [0, 0];
  fc.assert(
    fc.property(arbitraryPipelineSpec({ maxNodes: 8 }), choices, (spec, picks) => {
      let before = asWritten(spec);
      for (const step of rewriteAtRandom(spec, picks).steps) {
        const after = applyStep(before, step);
        const back = inverseOf(before, step);
        steps++;
        if (back) {
          inverted++;
          expect(sameTopology(applyStep(after, back), before)).toBe(true);
          expect(conditionsOf({ spec, topology: after, limits: {} }, back).filter(({ holds }) => !holds)).toEqual([]);
        }
        before = after;
      }
    }),
    { numRuns: 100 },
  );
  expect(inverted / steps).toBeGreaterThan(0.5);
});

it('a stage drops what is there and dead behind it, and nothing that comes only later', () => {
  const withReasons = orders.nodes.map((node) => (node.id === 'score-fraud' ? { ...node, writes: ['risk', 'reasons'] } : node));
  const drops = dropAllDead({ ...orders, nodes: withReasons }, written).map(({ stage, fields, children }) => [
    stage,
    [...fields, ...children].join(),
  ]);
  expect(drops).toEqual([
    ['find-currency', 'country'],
    ['look-up-rate', 'country,currency'],
    ['split-lines', 'country,currency'],
    ['revenue-by-category', 'country,currency,split-lines'],
    ['score-fraud', 'country,customerId,currency,reasons,split-lines'],
    ['is-sale', 'country,customerId,lines,currency,reasons,split-lines'],
  ]);
});

it('names of stages and nodes may be those of Object.prototype', () => {
  const spec = {
    ...orders,
    nodes: orders.nodes.map((node) => ({
      ...node,
      id: node.id.replace('find-currency', 'constructor'),
      inputs: node.inputs.map((id) => id.replace('find-currency', 'constructor')),
    })),
  };
  const next = applyStep(asWritten(spec), { rewrite: 'fuse', first: 'constructor', second: 'look-up-rate' });
  expect(validateTopology(spec, next)).toEqual([]);
});
