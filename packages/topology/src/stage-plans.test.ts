import { describe, expect, it } from 'vitest';
import { defaultAllocation } from './allocation.js';
import { asWritten } from './as-written.js';
import { defaultEnvelope } from './envelope.js';
import { stagePlans } from './stage-plans.js';
import { node, orders } from './testing/example.js';
import type { Topology } from './topology.js';

const retry = (maximumAttempts: number, initialIntervalMs: number) => ({
  maximumAttempts,
  initialIntervalMs,
  backoffCoefficient: 2,
  maximumIntervalMs: 10_000,
});

describe('stagePlans', () => {
  const topology = asWritten(orders);
  const envelope = defaultEnvelope(orders, topology);
  const plans = stagePlans(orders, topology, envelope, defaultAllocation(orders, topology, envelope));

  it('starts at the allocated memory and can go to the larger sizes of the envelope', () => {
    expect(plans['look-up-rate']).toEqual({ memoryMb: [1024, 1769, 3072], effect: 'read', timeoutMs: 5000, retry: retry(5, 100) });
    expect(Object.keys(plans)).toEqual(orders.nodes.map(({ id }) => id));
  });

  it('of a fused stage adds timeouts and attempts, and takes the most dangerous effect and the backoff of the fewest attempts', () => {
    const spec = {
      ...orders,
      nodes: [
        node('a', { timeoutMs: 100, retry: retry(5, 1) }),
        node('b', { timeoutMs: 200, effect: 'idempotent-write', retry: retry(3, 2) }),
        node('c', { timeoutMs: 300, effect: 'read', retry: retry(3, 3) }),
      ],
    };
    const fused: Topology = { ...topology, stages: [{ name: 'a+b+c', nodes: ['a', 'b', 'c'], after: [], partitions: 1 }] };
    const bounds = { 'a+b+c': { memoryMb: [256, 512], concurrency: { min: 1, max: 2 } } };
    expect(stagePlans(spec, fused, bounds, { 'a+b+c': { memoryMb: 512, concurrency: 1 } })).toEqual({
      'a+b+c': { memoryMb: [512], effect: 'idempotent-write', timeoutMs: 600, retry: retry(1 + 4 + 2 + 2, 2) },
    });
  });

  it('never runs a plain write again', () => {
    const spec = { ...orders, nodes: [node('w', { effect: 'write', retry: retry(5, 1) })] };
    const bounds = { w: { memoryMb: [256], concurrency: { min: 1, max: 1 } } };
    expect(stagePlans(spec, asWritten(spec), bounds, { w: { memoryMb: 256, concurrency: 1 } })['w']?.retry.maximumAttempts).toBe(1);
  });

  it('says what is missing when it is given what was never validated', () => {
    expect(() => stagePlans(orders, topology, {}, {})).toThrow("there is no envelope of stage 'find-currency'");
  });
});
