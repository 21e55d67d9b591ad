import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten } from './as-written.js';
import { diffToMermaid } from './diff-mermaid.js';
import { diffTopologies } from './diff.js';
import { toMermaid } from './mermaid.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle } from './testing/index.js';
import { orders } from './testing/example.js';
import type { Topology } from './topology.js';

const written = asWritten(orders);
const better: Topology = {
  stages: [
    { name: 'is-sale+find-currency+look-up-rate', nodes: ['is-sale', 'find-currency', 'look-up-rate'], after: [], partitions: 1 },
    {
      name: 'split-lines+revenue-by-category+score-fraud',
      nodes: ['split-lines', 'revenue-by-category', 'score-fraud'],
      after: [],
      partitions: 4,
    },
    {
      name: 'store-order',
      nodes: ['store-order'],
      after: ['is-sale+find-currency+look-up-rate', 'split-lines+revenue-by-category+score-fraud'],
      partitions: 1,
    },
  ],
  batch: { records: 1000, bytes: 16 << 20 },
  lingerMs: 50,
};
const words = (a: Topology, b: Topology): string[] => diffTopologies(orders, a, b).map(({ text }) => text);

describe('diffTopologies', () => {
  it('tells fusion, moves, parallel branches, partitions and batches in words', () => {
    expect(words(written, better)).toEqual([
      'is-sale, find-currency and look-up-rate run fused as one stage.',
      'split-lines, revenue-by-category and score-fraud run fused as one stage.',
      'is-sale runs earlier: before find-currency and look-up-rate.',
      'find-currency, look-up-rate and is-sale run beside split-lines, revenue-by-category and score-fraud.',
      'split-lines+revenue-by-category+score-fraud runs in 4 partitions (was 1).',
      'A batch holds up to 1,000 records (was 1).',
      'A batch holds up to 16,777,216 bytes (was 8,388,608).',
      'A batch waits 50 ms to fill (was 0).',
    ]);
  });

  it('tells what a stage no longer writes on', () => {
    const [first, ...others] = written.stages;
    const dropping = { ...written, stages: [{ ...first!, drops: { fields: ['x', 'y'], children: ['split-lines'] } }, ...others] };
    expect(words(written, dropping)).toEqual([`${first!.name} no longer writes on x, y and the children of split-lines.`]);
    expect(words(dropping, written)).toEqual([`${first!.name} writes on everything.`]);
  });

  it('tells the way back', () => {
    expect(words(better, written)).toEqual([
      'is-sale+find-currency+look-up-rate is split into is-sale, find-currency and look-up-rate.',
      'split-lines+revenue-by-category+score-fraud is split into split-lines, revenue-by-category and score-fraud.',
      'is-sale runs later: after find-currency and look-up-rate.',
      'find-currency, look-up-rate and is-sale no longer run beside split-lines, revenue-by-category and score-fraud.',
      'split-lines is no longer partitioned (was 4).',
      'revenue-by-category is no longer partitioned (was 4).',
      'score-fraud is no longer partitioned (was 4).',
      'A batch holds up to 1 record (was 1,000).',
      'A batch holds up to 8,388,608 bytes (was 16,777,216).',
      'A batch waits 0 ms to fill (was 50).',
    ]);
  });

  const specAndTwo = arbitraryPipelineSpec().chain((spec) => {
    const made = arbitraryLegalTopology(spec, dependencyOracle(spec));
    return fc.tuple(fc.constant(spec), made, made);
  });

  it('is empty for a topology and itself, and mirrors when turned round', () => {
    const opposite: Record<string, string> = { fused: 'split', split: 'fused', parallelised: 'serialised', serialised: 'parallelised' };
    fc.assert(
      fc.property(specAndTwo, ([spec, a, b]) => {
        expect(diffTopologies(spec, a, a)).toEqual([]);
        const kinds = (from: Topology, to: Topology): string[] =>
          diffTopologies(spec, from, to)
            .map(({ kind }) => kind)
            .filter((kind) => kind in opposite)
            .sort();
        const mirrored = kinds(a, b).map((kind) => opposite[kind]);
        expect(mirrored.sort()).toEqual(kinds(b, a));
      }),
    );
  });
});

describe('diffToMermaid', () => {
  it('draws both graphs in one, and marks what is added, removed and moved', () => {
    const a: Topology = { ...written, stages: [one('is-sale'), one('find-currency', 'is-sale'), one('look-up-rate', 'find-currency')] };
    const fused = { ...one('find-currency', 'is-sale'), name: 'both', nodes: ['find-currency', 'look-up-rate'], partitions: 2 };
    const b: Topology = { ...a, stages: [one('is-sale'), fused], batch: { ...a.batch, records: 20 }, lingerMs: 50 };
    expect(diffToMermaid(orders, a, b).split('\n').slice(0, 12)).toEqual([
      'flowchart LR',
      '  in(["up to 20 records<br/>linger 50 ms<br/>was: 1 record"])',
      '  s0["is-sale"]',
      '  s1["find-currency<br/>look-up-rate<br/>× 2"]:::added',
      '  s2["find-currency"]:::removed',
      '  s3["look-up-rate"]:::removed',
      '  out(["outcomes"])',
      '  in --> s0',
      '  s0 ==> s1',
      '  s1 ==> out',
      '  s0 -.-> s2',
      '  s2 -.-> s3',
    ]);
  });

  it('says of functions of both which way they moved, and of stages how many partitions they had', () => {
    const a: Topology = { ...written, stages: [one('find-currency'), one('is-sale', 'find-currency')] };
    const b: Topology = { ...a, stages: [{ ...one('is-sale'), partitions: 4 }, one('find-currency', 'is-sale')] };
    const drawing = diffToMermaid(orders, a, b);
    expect(drawing).toContain('s0["is-sale ↑<br/>× 4 (was 1)"]:::moved');
    expect(drawing).toContain('s1["find-currency"]\n');
    expect(drawing).toContain('in ==> s0');
    expect(drawing).toContain('in -.-> s1');
  });

  it('of two that are the same is the one graph', () => {
    const drawing = diffToMermaid(orders, better, better);
    for (const line of toMermaid(better)
      .split('\n')
      .filter((line) => !line.includes('out')))
      expect(drawing).toContain(line);
    expect(drawing).not.toMatch(/:::|==>|-\.->/);
  });
});

const one = (name: string, ...after: string[]) => ({ name, nodes: [name], after, partitions: 1 });

describe('toMermaid', () => {
  it('draws stages in boxes, from the batch to the outcomes', () => {
    expect(toMermaid(better)).toBe(
      [
        'flowchart LR',
        '  in(["up to 1000 records<br/>linger 50 ms"])',
        '  s0["is-sale<br/>find-currency<br/>look-up-rate"]',
        '  s1["split-lines<br/>revenue-by-category<br/>score-fraud<br/>× 4"]',
        '  s2["store-order"]',
        '  in --> s0',
        '  in --> s1',
        '  s0 --> s2',
        '  s1 --> s2',
        '  s2 --> out(["outcomes"])',
        '',
      ].join('\n'),
    );
  });

  it('escapes what Mermaid would read as its own', () => {
    const topology = { ...written, stages: [{ name: 'a#2', nodes: ['a#2'], after: [], partitions: 1 }] };
    expect(toMermaid(topology)).toContain('s0["a#35;2"]');
  });
});
