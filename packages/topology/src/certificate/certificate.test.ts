import type { PipelineSpec } from '@autoflow/pipeline';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten } from '../as-written.js';
import { hashPipeline, hashTopology } from '../hash.js';
import { validateTopology } from '../legality.js';
import {
  applyStep,
  certify,
  CertifyError,
  checkCertificate,
  conditionsOf,
  dropAllDead,
  rewrites,
  type Certificate,
  type Context,
  type Step,
  type WorkingSets,
} from '../rewrites/index.js';
import { orders } from '../testing/example.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle } from '../testing/index.js';
import type { Topology } from '../topology.js';

const from = asWritten(orders);
const steps: Step[] = [
  { rewrite: 'filter-earlier', filter: 'is-sale' },
  { rewrite: 'batch-size', records: 100, bytes: 1 << 20 },
  { rewrite: 'fuse', first: 'is-sale', second: 'find-currency' },
  { rewrite: 'parallelise', first: 'look-up-rate', second: 'split-lines' },
];
const to = steps.reduce(applyStep, from);
const certificate = certify(orders, from, to, steps);
const codes = (changed: unknown, spec = orders): string[] => [
  ...new Set(checkCertificate(spec, from, to, changed).map(({ code }) => code)),
];

describe('a certificate', () => {
  it('proves its steps, also after a way through JSON', () => {
    expect(checkCertificate(orders, from, to, JSON.parse(JSON.stringify(certificate)))).toEqual([]);
    expect(certificate.steps[0]?.conditions).toContainEqual({
      condition: 'fields-disjoint',
      on: ['find-currency', 'is-sale'],
      holds: true,
      facts: { writes: ['currency'], reads: ['invoiceNo', 'lines'], upstream: true, sameScope: true },
    });
  });

  it('of no steps proves that nothing changed', () => {
    expect(checkCertificate(orders, from, from, certify(orders, from, from, []))).toEqual([]);
  });

  it('states a condition once, also of a step that says something twice', () => {
    const step: Step = { rewrite: 'drop-dead-fields', stage: 'score-fraud', fields: ['country', 'country'], children: [] };
    const dropping = applyStep(from, step);
    expect(checkCertificate(orders, from, dropping, certify(orders, from, dropping, [step]))).toEqual([]);
  });

  it('is not made for steps that are illegal, impossible or lead elsewhere', () => {
    const illegal: Step = { rewrite: 'parallelise', first: 'find-currency', second: 'look-up-rate' };
    expect(() => certify(orders, from, applyStep(from, illegal), [illegal])).toThrow(
      /step 0, parallelise, is not legal: 'fields-disjoint' does not hold for find-currency, look-up-rate/,
    );
    // No side condition speaks of these: nothing lies between the two, and whoever waits for each other loses no order.
    const reversed: Step = { rewrite: 'fuse', first: 'look-up-rate', second: 'find-currency' };
    const circle: Step = { rewrite: 'parallelise', first: 'split-lines', second: 'find-currency' };
    const steady: Step = { rewrite: 'linger', lingerMs: 5 };
    for (const [step, why] of [
      [reversed, 'READ_BEFORE_WRITE: look-up-rate runs before find-currency'] as const,
      [circle, 'CYCLE: the stages wait'] as const,
    ]) {
      const context = { spec: orders, topology: from, limits: {} };
      expect(conditionsOf(context, step).filter(({ holds }) => !holds)).toEqual([]);
      const objections = checkCertificate(orders, from, applyStep(from, step), claimed(context, step)).map(({ code }) => code);
      expect(objections).toEqual(['ILLEGAL_TOPOLOGY', 'IMPOSSIBLE_STEP']);
      const all = [steady, step];
      expect(() => certify(orders, from, all.reduce(applyStep, from), all)).toThrow(`step 1, ${step.rewrite}, is not legal: ${why}`);
    }
    expect(() => certify(orders, from, to, steps.slice(1))).toThrow(Error);
    expect(() => certify(orders, from, from, steps)).toThrow(CertifyError);
  });

  it.each<[string, (c: Certificate) => unknown, string[]]>([
    ['another pipeline', (c) => ({ ...c, pipeline: c.from }), ['OTHER_SUBJECT']],
    ['another start', (c) => ({ ...c, from: c.to }), ['OTHER_SUBJECT', 'BROKEN_CHAIN']],
    ['another end', (c) => ({ ...c, to: c.from }), ['OTHER_SUBJECT', 'BROKEN_CHAIN']],
    ['a step left out', (c) => ({ ...c, steps: c.steps.slice(0, 3) }), ['BROKEN_CHAIN']],
    ['the first step left out', (c) => ({ ...c, steps: c.steps.slice(1) }), ['BROKEN_CHAIN']],
    ['steps in another order', (c) => ({ ...c, steps: [c.steps[1], c.steps[0], ...c.steps.slice(2)] }), ['BROKEN_CHAIN']],
    ['a condition left out', (c) => changed(c, 0, (conditions) => conditions.slice(1)), ['CONDITION_MISSING']],
    [
      'a condition too many',
      (c) => changed(c, 1, (conditions) => [...conditions, { condition: 'luck', on: [], holds: true, facts: {} }]),
      ['CONDITION_UNKNOWN'],
    ],
    ['a condition stated twice', (c) => changed(c, 0, (conditions) => [...conditions, conditions[0]]), ['DUPLICATE_CONDITION']],
    [
      'a condition that does not hold and is stated again as if it did',
      (c) => changed(c, 0, ([first, ...rest]) => [{ ...first, holds: false }, first, ...rest]),
      ['DUPLICATE_CONDITION', 'WRONG_FACTS'],
    ],
    ['a condition that does not hold', (c) => changed(c, 0, ([first, ...rest]) => [{ ...first, holds: false }, ...rest]), ['WRONG_FACTS']],
    ['other facts', (c) => changed(c, 0, ([first, ...rest]) => [{ ...first, facts: { writes: [] } }, ...rest]), ['WRONG_FACTS']],
    [
      'a step on what is not there',
      (c) => ({ ...c, steps: [{ ...c.steps[0], step: { rewrite: 'fuse', first: 'a', second: 'b' } }] }),
      ['IMPOSSIBLE_STEP'],
    ],
    ['an unknown rewrite', (c) => ({ ...c, steps: [{ ...c.steps[0], step: { rewrite: 'trust-me' } }] }), ['WRONG_SHAPE']],
    ['nothing', () => undefined, ['WRONG_SHAPE']],
    ['text', () => 'certified', ['WRONG_SHAPE']],
  ])('with %s is refused', (_, change, expected) => {
    expect(codes(change(certificate))).toEqual(expect.arrayContaining(expected));
  });

  it('is refused for another pipeline, and for topologies that are not legal', () => {
    const other = { ...orders, nodes: orders.nodes.map((node) => (node.id === 'is-sale' ? { ...node, reads: ['currency'] } : node)) };
    expect(codes(certificate, other)).toEqual(expect.arrayContaining(['OTHER_SUBJECT', 'CONDITION_FAILS', 'WRONG_FACTS']));
    expect(checkCertificate(orders, from, { ...to, stages: to.stages.slice(1) }, certificate).map(({ code }) => code)).toContain(
      'ILLEGAL_TOPOLOGY',
    );
  });

  it('is refused when what was measured since does not fit', () => {
    const workingSets = { 'is-sale': { fixedMb: 2_000, perRecordMb: 10 } };
    expect(checkCertificate(orders, from, to, certificate, { workingSets }).map(({ code }) => code)).toEqual(
      expect.arrayContaining(['CONDITION_FAILS', 'ILLEGAL_TOPOLOGY']),
    );
    expect(() => certify(orders, from, to, steps, { workingSets })).toThrow("'memory-fit' does not hold");
  });

  it('is refused for a topology that fits only without the instance itself', () => {
    const limits = { workingSets: { 'is-sale': { fixedMb: 2_900, perRecordMb: 0 } } };
    const still = certify(orders, from, from, []);
    expect(checkCertificate(orders, from, from, still, limits)).toEqual([]);
    expect(checkCertificate(orders, from, from, still, { ...limits, instanceMb: 50 })[0]?.code).toBe('ILLEGAL_TOPOLOGY');
  });
});

interface Start extends Context {
  readonly dropping: boolean;
}

/** Legal topologies, whose stages drop some of what is dead behind them; resources and memory leave them a little room, or none. */
const starts: fc.Arbitrary<Start> = arbitraryPipelineSpec({ maxNodes: 8 })
  .map(withModel)
  .chain((spec) => {
    const each = { minLength: spec.nodes.length, maxLength: spec.nodes.length };
    return fc
      .record({
        whole: arbitraryLegalTopology(spec, dependencyOracle(spec)),
        drops: fc.array(fc.boolean(), each),
        sizes: fc.array(fc.record({ fixedMb: fc.nat(200), perRecordMb: fc.nat(1) }), each),
        room: fc.record({ stages: fc.nat(1), memoryMb: fc.nat(400) }),
      })
      .map(({ whole, drops, sizes, room }) => {
        const lean = dropAllDead(spec, whole)
          .filter((_, i) => drops[i])
          .map((step) => ({ ...step, fields: step.fields.filter((_, i) => drops[i % drops.length]) }));
        const topology = lean.reduce(applyStep, whole);
        const workingSets = Object.fromEntries(spec.nodes.map(({ id }, i) => [id, sizes[i] ?? { fixedMb: 0, perRecordMb: 0 }]));
        return {
          spec: { ...spec, resources: limitedTo(spec, topology, room.stages) },
          topology,
          limits: { workingSets, instanceMb: 50, memoryMb: Math.ceil(neededMb(topology, workingSets) / 0.95) + 60 + room.memoryMb },
          dropping: topology.stages.some((stage) => stage.drops),
        };
      });
  });

/** Functions that write nothing use one resource more: it ties none of them, but every stage that uses it needs room. */
function withModel(spec: PipelineSpec): PipelineSpec {
  const nodes = spec.nodes.map((node) =>
    node.kind === 'function' && !node.effect.endsWith('write') ? { ...node, uses: [...node.uses, 'model'] } : node,
  );
  return { ...spec, nodes, resources: [...spec.resources, { name: 'model', secrets: [] }] };
}

function limitedTo(spec: PipelineSpec, topology: Topology, room: number): PipelineSpec['resources'] {
  return spec.resources.map(({ limit: _, ...one }) => {
    const users = new Set(spec.nodes.filter(({ uses }) => uses.includes(one.name)).map(({ id }) => id));
    const stages = topology.stages.filter(({ nodes }) => nodes.some((id) => users.has(id))).length;
    return { ...one, limit: { concurrency: Math.max(1, stages + room) } };
  });
}

function neededMb({ stages, batch: { records } }: Topology, sets: WorkingSets): number {
  const of = (id: string): number => (sets[id]?.fixedMb ?? 0) + records * (sets[id]?.perRecordMb ?? 0);
  return Math.max(...stages.map(({ nodes }) => nodes.reduce((sum, id) => sum + of(id), 0)));
}

it('the checker agrees with the conditions and with the legality of topologies, on legal and illegal steps of every kind', () => {
  const seen = new Map(rewrites.map(({ name }) => [name, { legal: 0, illegal: 0 }]));
  let dropping = 0;
  fc.assert(
    fc.property(starts, fc.nat(9_999), (start, place) => {
      expect(validateTopology(start.spec, start.topology)).toEqual([]);
      if (start.dropping) dropping++;
      for (const { name, places } of rewrites) {
        const all = places(start);
        const step = all[place % Math.max(1, all.length)];
        const count = seen.get(name);
        if (step && count) count[agreed(start, step)]++;
      }
    }),
    { numRuns: 400 },
  );
  expect(dropping).toBeGreaterThan(50);
  for (const [name, { legal, illegal }] of seen) {
    expect(legal, name).toBeGreaterThan(5);
    // Of lingers, no place is out of bounds.
    if (name !== 'linger') expect(illegal, name).toBeGreaterThan(5);
  }
});

/** What both say of a step; fails where they differ. The checker is told that all conditions hold. */
function agreed({ spec, topology, limits }: Context, step: Step): 'legal' | 'illegal' {
  const context = { spec, topology, limits };
  const next = applyStep(topology, step);
  const isLegal = conditionsOf(context, step).every(({ holds }) => holds);
  expect(checkCertificate(spec, topology, next, claimed(context, step), limits).length === 0, JSON.stringify(step)).toBe(isLegal);
  if (isLegal) expect(validateTopology(spec, next)).toEqual([]);
  return isLegal ? 'legal' : 'illegal';
}

/** A certificate of one step that says that all its conditions hold, whether they do or not. */
function claimed(context: Context, step: Step): unknown {
  const ends = { from: hashTopology(context.topology), to: hashTopology(applyStep(context.topology, step)) };
  const conditions = conditionsOf(context, step).map((one) => ({ ...one, holds: true }));
  return { $autoflow: 'certificate/1', pipeline: hashPipeline(context.spec), ...ends, steps: [{ step, ...ends, conditions }] };
}

it('the checker imports nothing of what it checks but types, nor does what it imports', () => {
  const folder = new URL('./check/', import.meta.url);
  const open = readdirSync(folder).map((file) => new URL(file, folder).href);
  const [files, packages] = [new Set(open), new Set<string>()];
  for (const file of files)
    for (const from of valueImports(file)) {
      if (from.startsWith('.')) files.add(new URL(from.replace(/\.js$/, '.ts'), file).href);
      else packages.add(from);
    }
  const shared = ['canonical-drops', 'canonical-json', 'hash', 'json-pointer', 'shape-problems', 'stage-name'];
  expect([...files].sort()).toEqual([...open, ...shared.map((name) => new URL(`../${name}.ts`, import.meta.url).href)].sort());
  expect([...packages].sort()).toEqual(['node:crypto', 'zod']);
});

function valueImports(file: string): string[] {
  const found = readFileSync(new URL(file), 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^;]* from )?'([^']+)'/gm);
  return [...found].flatMap(([, from]) => from ?? []);
}

function changed(given: Certificate, step: number, change: (conditions: readonly object[]) => unknown[]): unknown {
  return { ...given, steps: given.steps.map((one, i) => (i === step ? { ...one, conditions: change(one.conditions) } : one)) };
}
