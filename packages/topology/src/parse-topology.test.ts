import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashTopology } from './hash.js';
import { parseTopology } from './parse-topology.js';
import { stageName } from './stage-name.js';
import { arbitraryLegalTopology, arbitraryPipelineSpec, dependencyOracle } from './testing/index.js';

const places = (json: unknown): string[] => (parseTopology(json).problems ?? []).map(({ code, pointer }) => `${code} ${pointer}`);

describe('parseTopology', () => {
  it('reads every topology back from its JSON unchanged', () => {
    fc.assert(
      fc.property(
        arbitraryPipelineSpec().chain((spec) => arbitraryLegalTopology(spec, dependencyOracle(spec))),
        (topology) => {
          const { topology: read } = parseTopology(JSON.parse(JSON.stringify(topology)));
          expect(read && hashTopology(read)).toBe(hashTopology(topology));
        },
      ),
    );
  });

  it('fills in what has one answer: names, partitions, bytes, linger', () => {
    expect(parseTopology({ stages: [{ nodes: ['a', 'b'], after: [] }], batch: { records: 64 } }).topology).toEqual({
      stages: [{ name: 'a+b', nodes: ['a', 'b'], after: [], partitions: 1 }],
      batch: { records: 64, bytes: 8 * 1024 * 1024 },
      lingerMs: 0,
    });
  });

  it('takes what a stage drops in one form', () => {
    const stage = { nodes: ['a'], after: [] };
    const read = (drops: unknown) => parseTopology({ stages: [{ ...stage, drops }], batch: { records: 1 } }).topology?.stages[0]?.drops;
    expect(read({ fields: ['y', 'x', 'y'] })).toEqual({ fields: ['x', 'y'], children: [] });
    expect(read({ fields: [], children: [] })).toBeUndefined();
    expect(places({ stages: [{ ...stage, drops: ['x'] }], batch: { records: 1 } })).toEqual(['WRONG_SHAPE /stages/0/drops']);
  });

  it('lists every problem of the shape at once, each at its place', () => {
    const json = {
      stages: [{ nodes: [], after: 'a', partitions: 1000 }, { nodes: [1], after: [], name: 7, color: 'red' }, null],
      batch: { records: 0, bytes: '8 MB', 'a/b': 1 },
      lingerMs: 1.5,
      extra: true,
    };
    expect(places(json).sort()).toEqual([
      'UNKNOWN_KEY /batch/a~1b',
      'UNKNOWN_KEY /extra',
      'UNKNOWN_KEY /stages/1/color',
      'WRONG_SHAPE /batch/bytes',
      'WRONG_SHAPE /batch/records',
      'WRONG_SHAPE /lingerMs',
      'WRONG_SHAPE /stages/0/after',
      'WRONG_SHAPE /stages/0/nodes',
      'WRONG_SHAPE /stages/0/partitions',
      'WRONG_SHAPE /stages/1/name',
      'WRONG_SHAPE /stages/1/nodes/0',
      'WRONG_SHAPE /stages/2',
    ]);
  });

  it.each([
    undefined,
    null,
    1,
    'topology',
    [],
    {},
    { stages: [], batch: {} },
    { stages: [{ nodes: ['a'], after: [] }], batch: { records: Number.NaN } },
  ])('refuses %j', (json) => {
    expect(places(json)).not.toEqual([]);
  });
});

describe('stageName', () => {
  it('joins the nodes, and shortens a long name so that different stages keep different names', () => {
    const long = Array.from({ length: 60 }, (_, i) => `function-${i}`);
    expect(stageName(['parse-invoice', 'look-up-rate'])).toBe('parse-invoice+look-up-rate');
    expect(stageName(long)).toMatch(/^function-0\+function-1\+.*~[0-9a-f]{12}$/);
    expect(stageName(long)).toHaveLength(120);
    expect(stageName(long.toReversed())).not.toBe(stageName(long));
    expect(stageName([...long.slice(0, 58), 'function-59', 'function-58'])).not.toBe(stageName(long));
  });
});
