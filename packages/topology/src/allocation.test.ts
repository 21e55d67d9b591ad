import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampAllocation, defaultAllocation, parseAllocation, validateAllocation } from './allocation.js';
import { asWritten } from './as-written.js';
import { defaultEnvelope, parseEnvelope, validateEnvelope } from './envelope.js';
import { arbitraryPipelineSpec } from './testing/index.js';
import { node, orders } from './testing/example.js';
import type { Allocation, Envelope, Problem } from './topology.js';

const topology = asWritten(orders);
const envelope = defaultEnvelope(orders, topology);
const defaults = defaultAllocation(orders, topology, envelope);
const places = (problems: readonly Problem[] | undefined): string[] => (problems ?? []).map(({ code, pointer }) => `${code} ${pointer}`);

const shared = {
  ...orders,
  nodes: ['a', 'b', 'c'].map((id) => node(id, { effect: 'read', uses: ['db'] })),
  resources: [{ name: 'db', secrets: [], limit: { concurrency: 7 } }],
};
const sharedTopology = asWritten(shared);
const sharedEnvelope = defaultEnvelope(shared, sharedTopology);

describe('defaults', () => {
  it('are 1,024 MB and 4 instances in an envelope of all sizes and 1 to 32 instances', () => {
    expect(envelope['score-fraud']).toEqual({ memoryMb: [128, 256, 512, 1024, 1769, 3072], concurrency: { min: 1, max: 32 } });
    expect(defaults['score-fraud']).toEqual({ memoryMb: 1024, concurrency: 4 });
  });

  it('leave room for every user of a limited resource', () => {
    expect(envelope['look-up-rate']?.concurrency).toEqual({ min: 1, max: 10 });
    expect(sharedEnvelope['a']?.concurrency).toEqual({ min: 1, max: 5 });
    expect(defaultAllocation(shared, sharedTopology, sharedEnvelope)).toEqual({
      a: { memoryMb: 1024, concurrency: 3 },
      b: { memoryMb: 1024, concurrency: 2 },
      c: { memoryMb: 1024, concurrency: 2 },
    });
  });

  it('are valid for every pipeline', () => {
    fc.assert(
      fc.property(arbitraryPipelineSpec(), (spec) => {
        const made = asWritten(spec);
        const bounds = defaultEnvelope(spec, made);
        expect(validateEnvelope(spec, made, bounds)).toEqual([]);
        expect(validateAllocation(spec, made, bounds, defaultAllocation(spec, made, bounds))).toEqual([]);
      }),
    );
  });
});

describe('clampAllocation', () => {
  it('makes a valid allocation of anything', () => {
    const number = fc.oneof(fc.integer({ min: -10, max: 5000 }), fc.double());
    const wild = fc.dictionary(fc.constantFrom('function-0', 'function-1', 'ghost'), fc.record({ memoryMb: number, concurrency: number }));
    fc.assert(
      fc.property(arbitraryPipelineSpec(), wild, (spec, wanted) => {
        const made = asWritten(spec);
        const bounds = defaultEnvelope(spec, made);
        const clamped = clampAllocation(spec, made, bounds, wanted);
        expect(validateAllocation(spec, made, bounds, clamped)).toEqual([]);
        expect(clampAllocation(spec, made, bounds, clamped)).toEqual(clamped);
      }),
    );
  });

  it('takes the next larger memory size, and instances from the stage that has most', () => {
    const wanted = { a: { memoryMb: 300, concurrency: 5 }, b: { memoryMb: 1e9, concurrency: 2 }, c: { memoryMb: 0, concurrency: 2 } };
    expect(clampAllocation(shared, sharedTopology, sharedEnvelope, wanted)).toEqual({
      a: { memoryMb: 512, concurrency: 3 },
      b: { memoryMb: 3072, concurrency: 2 },
      c: { memoryMb: 128, concurrency: 2 },
    });
  });
});

describe('validateAllocation', () => {
  it('lists every problem at once, each at its place', () => {
    const { 'find-currency': _, ...rest } = defaults;
    const wrong: Allocation = {
      ...rest,
      ghost: { memoryMb: 1, concurrency: 1 },
      'score-fraud': { memoryMb: 1000, concurrency: 33 },
      'is-sale': { memoryMb: 128, concurrency: 1.5 },
    };
    expect(places(validateAllocation(orders, topology, envelope, wrong))).toEqual([
      'UNKNOWN_STAGE /ghost',
      'MISSING_STAGE ',
      'MEMORY_OUTSIDE_ENVELOPE /score-fraud/memoryMb',
      'CONCURRENCY_OUTSIDE_ENVELOPE /score-fraud/concurrency',
      'CONCURRENCY_OUTSIDE_ENVELOPE /is-sale/concurrency',
    ]);
  });

  it('adds up what stages ask of one resource', () => {
    const wanted = { a: { memoryMb: 128, concurrency: 5 }, b: { memoryMb: 128, concurrency: 2 }, c: { memoryMb: 128, concurrency: 1 } };
    expect(validateAllocation(shared, sharedTopology, sharedEnvelope, wanted).map(({ message }) => message)).toEqual([
      "resource 'db' allows 7 at once, but 8 are asked for: a 5, b 2, c 1.",
    ]);
  });

  it('parses before it judges', () => {
    expect(parseAllocation({ a: { memoryMb: 128, concurrency: 1 } }).problems).toBeUndefined();
    expect(places(parseAllocation({ a: { memoryMb: '1 GB', cpu: 1 }, b: null }).problems).sort()).toEqual([
      'UNKNOWN_KEY /a/cpu',
      'WRONG_SHAPE /a/concurrency',
      'WRONG_SHAPE /a/memoryMb',
      'WRONG_SHAPE /b',
    ]);
  });
});

describe('validateEnvelope', () => {
  it('refuses sizes out of order, empty ranges, unknown and missing stages, and minima above the limit of a resource', () => {
    const wrong: Envelope = {
      a: { memoryMb: [256, 128], concurrency: { min: 4, max: 5 } },
      b: { memoryMb: [128], concurrency: { min: 5, max: 2 } },
      ghost: { memoryMb: [128], concurrency: { min: 1, max: 1 } },
    };
    expect(places(validateEnvelope(shared, sharedTopology, wrong))).toEqual([
      'UNKNOWN_STAGE /ghost',
      'MISSING_STAGE ',
      'MEMORY_SIZES /a/memoryMb',
      'CONCURRENCY_RANGE /b/concurrency',
      'RESOURCE_LIMIT ',
    ]);
  });

  it('parses before it judges', () => {
    expect(places(parseEnvelope({ a: { memoryMb: [1, 'x'], concurrency: { min: 0, max: 2 } } }).problems)).toEqual([
      'WRONG_SHAPE /a/memoryMb/0',
      'WRONG_SHAPE /a/memoryMb/1',
      'WRONG_SHAPE /a/concurrency/min',
    ]);
  });
});
