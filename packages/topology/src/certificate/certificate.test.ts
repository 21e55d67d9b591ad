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
  rewrites,
  type Certificate,
  type Step,
} from '../rewrites/index.js';
import { orders } from '../testing/example.js';
import { arbitraryPipelineSpec } from '../testing/index.js';

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

  it('is not made for steps that are illegal, impossible or lead elsewhere', () => {
    const illegal: Step = { rewrite: 'parallelise', first: 'find-currency', second: 'look-up-rate' };
    expect(() => certify(orders, from, applyStep(from, illegal), [illegal])).toThrow(
      /step 0, parallelise, is not legal: 'fields-disjoint' does not hold for find-currency, look-up-rate/,
    );
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

it('the checker agrees with the conditions and with the legality of topologies, on legal and illegal steps', () => {
  let [refused, accepted] = [0, 0];
  fc.assert(
    fc.property(arbitraryPipelineSpec({ maxNodes: 8 }), fc.nat(99), fc.nat(9_999), (spec, kind, place) => {
      const topology = asWritten(spec);
      const places = rewrites[kind % rewrites.length]?.places({ spec, topology, limits: {} }) ?? [];
      const step = places[place % Math.max(1, places.length)];
      if (!step) return;
      const conditions = conditionsOf({ spec, topology, limits: {} }, step);
      const next = applyStep(topology, step);
      const ends = { from: hashTopology(topology), to: hashTopology(next) };
      const claimed = {
        $autoflow: 'certificate/1',
        pipeline: hashPipeline(spec),
        ...ends,
        steps: [{ step, ...ends, conditions: conditions.map((one) => ({ ...one, holds: true })) }],
      };
      const problems = checkCertificate(spec, topology, next, claimed);
      const legal = conditions.every(({ holds }) => holds);
      expect(problems.length === 0).toBe(legal);
      if (legal) expect(validateTopology(spec, next)).toEqual([]);
      if (legal) accepted++;
      else refused++;
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(refused, accepted)).toBeGreaterThan(100);
});

it('the checker imports nothing of what it checks but types', () => {
  const folder = new URL('./check/', import.meta.url);
  const values = readdirSync(folder).flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^import (?!type )[^;]* from '(\.\.\/[^']+)'/gm)].map(([, from]) => from),
  );
  const shared = ['canonical-json', 'hash', 'json-pointer', 'shape-problems', 'stage-name'];
  expect([...new Set(values)].sort()).toEqual(shared.map((name) => `../../${name}.js`));
});

function changed(given: Certificate, step: number, change: (conditions: readonly object[]) => unknown[]): unknown {
  return { ...given, steps: given.steps.map((one, i) => (i === step ? { ...one, conditions: change(one.conditions) } : one)) };
}
