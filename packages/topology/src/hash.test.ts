import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asWritten } from './as-written.js';
import { defaultEnvelope } from './envelope.js';
import { hashPipeline, hashRelease, hashTopology, hashVersion, sha256 } from './hash.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle } from './testing/index.js';
import { orders } from './testing/example.js';
import { reversed } from './testing/reversed.js';
import type { Topology } from './topology.js';

interface Vector {
  readonly name: string;
  readonly of: 'pipeline' | 'topology' | 'version' | 'release';
  readonly value: never;
  readonly hash: string;
}
const vectors = JSON.parse(readFileSync(new URL('testing/hash-vectors.json', import.meta.url), 'utf8')) as Vector[];
const release = ({ spec, bundle }: { spec: Parameters<typeof hashRelease>[0]; bundle: string }): string =>
  hashRelease(spec, Buffer.from(bundle));
const hashOf = { pipeline: hashPipeline, topology: hashTopology, version: hashVersion, release };

describe('hashes', () => {
  it.each(vectors)('$name has the hash that was committed', ({ of, value, hash }) => {
    expect(hashOf[of](value)).toBe(hash);
  });

  const specAndTopology = arbitraryPipelineSpec().chain((spec) =>
    fc.tuple(fc.constant(spec), arbitraryLegalTopology(spec, dependencyOracle(spec))),
  );

  it('are SHA-256 in hex and do not depend on the order of properties', () => {
    fc.assert(
      fc.property(specAndTopology, ([spec, topology]) => {
        const version = { release: sha256('release'), topology, envelope: defaultEnvelope(spec, topology) };
        expect(hashTopology(topology)).toMatch(/^[0-9a-f]{64}$/);
        expect(hashTopology(reversed(topology))).toBe(hashTopology(topology));
        expect(hashPipeline(reversed(spec))).toBe(hashPipeline(spec));
        expect(hashVersion(reversed(version))).toBe(hashVersion(version));
      }),
    );
  });

  it('do not depend on the order of stages and of after', () => {
    fc.assert(
      fc.property(specAndTopology, ([, topology]) => {
        const turned = { ...topology, stages: topology.stages.map((stage) => ({ ...stage, after: stage.after.toReversed() })).reverse() };
        expect(hashTopology(turned)).toBe(hashTopology(topology));
      }),
    );
  });

  it('depend on everything that a topology says', () => {
    const base: Topology = {
      stages: [
        { name: 'a+b', nodes: ['a', 'b'], after: [], partitions: 1 },
        { name: 'c', nodes: ['c'], after: ['a+b'], partitions: 1 },
      ],
      batch: { records: 10, bytes: 1000 },
      lingerMs: 5,
    };
    const [first, second] = base.stages as [Topology['stages'][0], Topology['stages'][0]];
    const others: Topology[] = [
      base,
      { ...base, stages: [{ ...first, nodes: ['b', 'a'] }, second] },
      { ...base, stages: [{ ...first, name: 'other' }, second] },
      { ...base, stages: [first, { ...second, after: [] }] },
      { ...base, stages: [first, { ...second, partitions: 2 }] },
      { ...base, stages: [first] },
      { ...base, batch: { records: 11, bytes: 1000 } },
      { ...base, batch: { records: 10, bytes: 1001 } },
      { ...base, lingerMs: 6 },
    ];
    expect(new Set(others.map(hashTopology)).size).toBe(others.length);
  });

  it('of a pipeline depend on its wiring, not on its schemas nor on the order in which fields are declared', () => {
    const [first, ...rest] = orders.nodes as [PipelineNode, ...PipelineNode[]];
    expect(hashPipeline({ ...orders, schemas: { input: true, output: true } })).toBe(hashPipeline(orders));
    expect(hashPipeline({ ...orders, input: orders.input.toReversed(), resources: orders.resources.toReversed() })).toBe(
      hashPipeline(orders),
    );
    expect(hashPipeline({ ...orders, nodes: [{ ...first, effect: 'read' }, ...rest] })).not.toBe(hashPipeline(orders));
    expect(hashPipeline({ ...orders, nodes: orders.nodes.toReversed() })).not.toBe(hashPipeline(orders));
    expect(hashPipeline({ ...orders, key: 'country' })).not.toBe(hashPipeline(orders));
  });

  it('of a release depend on wiring and bundle; of a version on release, topology and envelope', () => {
    const code = Buffer.from('export default 1');
    expect(hashRelease(orders, code)).toBe(hashRelease({ ...orders, schemas: { input: {}, output: {} } }, Uint8Array.from(code)));
    expect(hashRelease(orders, code)).not.toBe(hashRelease(orders, Buffer.from('export default 2')));
    expect(hashRelease(orders, code)).not.toBe(hashRelease({ ...orders, name: 'other' }, code));
    const topology = asWritten(orders);
    const version = { release: 'r1', topology, envelope: defaultEnvelope(orders, topology) };
    expect(hashVersion({ ...version, release: 'r2' })).not.toBe(hashVersion(version));
    expect(hashVersion({ ...version, topology: { ...topology, lingerMs: 1 } })).not.toBe(hashVersion(version));
    expect(hashVersion({ ...version, envelope: {} })).not.toBe(hashVersion(version));
  });
});

type PipelineNode = (typeof orders)['nodes'][0];
