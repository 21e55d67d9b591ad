import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backlog, poissonArrivals } from './arrivals.js';
import { LOCAL_HOST } from './model/host-model.js';
import { PlanError } from './model/plan-error.js';
import { simulate } from './simulate.js';
import { Simulator } from './simulator/simulator.js';
import { allocationOf, IDEAL_HOST, planOf } from './testing/plans.js';

const work = { cpuFixedMs: 2, cpuPerRecordMs: 1, ioFixedMs: 5, ioPerRecordMs: 0.5, cv: 0.5, memoryMb: 40, memoryPerRecordMb: 0.1 };

/** a, then b beside c, then d on both. */
const diamond = [
  { functions: ['a'] },
  { functions: ['b'], after: ['a'], partitions: 2 },
  { functions: ['c'], after: ['a'] },
  { functions: ['d'], after: ['b', 'c'] },
];
const diamondOf = (batch: number, host = LOCAL_HOST) =>
  planOf({
    models: {
      a: { ...work, selectivity: 0.9 },
      b: { ...work, selectivity: 0.7, retry: 0.05 },
      c: { ...work, selectivity: 0.8, dead: 0.02 },
      d: work,
    },
    stages: diamond,
    host,
    batch,
    lingerMs: 50,
    recordBytes: 2000,
  });

describe('what cannot be otherwise', () => {
  it('every record has one outcome, whatever the plan', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer(),
        fc.boolean(),
        (batch, instances, seed, ahead) => {
          const plan = diamondOf(batch, { ...LOCAL_HOST, idleMs: 500, provisioning: ahead ? 'ahead' : 'on-demand' });
          const { records } = simulate(plan, allocationOf(plan, instances), {
            arrivals: poissonArrivals(40, 300, seed),
            seed,
            openExecutions: 8,
            probes: 0.05,
            warm: seed % 2 === 0,
          });
          expect(records.arrived).toBe(300);
          expect(records.completed + records.filtered + records.dead).toBe(300);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('filters let through what their selectivities say together, also where branches join', () => {
    const plan = diamondOf(10);
    const { records } = simulate(plan, allocationOf(plan, 8), { arrivals: poissonArrivals(50, 20_000, 1), seed: 1 });
    expect(Math.abs(records.completed / 20_000 / (0.9 * 0.7 * 0.98 * 0.8) - 1)).toBeLessThan(0.03);
    expect(Math.abs(records.dead / 20_000 / (0.02 * 0.9) - 1)).toBeLessThan(0.2);
  });

  it('the same seed gives the same run, another seed another', () => {
    const plan = diamondOf(4);
    const run = (seed: number) => simulate(plan, allocationOf(plan, 3), { arrivals: poissonArrivals(30, 500, 7), seed });
    expect(run(1)).toEqual(run(1));
    expect(run(2)).not.toEqual(run(1));
  });

  it('arrivals do not depend on the plan, and two plans with one seed meet the same luck', () => {
    expect(poissonArrivals(30, 500, 7)).toEqual(poissonArrivals(30, 500, 7));
    // With instances for all and nothing shared, each invocation takes what its own noise says: more of them change nothing.
    const plan = planOf({ models: { a: { ioFixedMs: 20, cv: 0.8 }, b: { ioFixedMs: 30, cv: 0.8 } } });
    const run = (instances: number) => {
      const simulator = new Simulator({ plan, allocation: allocationOf(plan, instances), arrivals: poissonArrivals(30, 500, 7), seed: 9 });
      simulator.run(Number.POSITIVE_INFINITY, 500);
      return simulator.latencyMs;
    };
    expect(run(200)).toEqual(run(300));
  });
});

describe('what must go one way', () => {
  const mean = (instances: number, scale: number, seed: number): number => {
    const plan = planOf({ models: { a: { ioFixedMs: 50 * scale, cv: 0.6 } } });
    return simulate(plan, allocationOf(plan, instances), { arrivals: poissonArrivals(30, 400, seed), seed }).latencyMs.mean;
  };

  it('more instances never wait longer; slower functions never answer sooner', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), (seed, instances) => {
        expect(mean(instances + 1, 1, seed)).toBeLessThanOrEqual(mean(instances, 1, seed) + 1e-9);
        expect(mean(instances, 1.2, seed)).toBeGreaterThanOrEqual(mean(instances, 1, seed) - 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it('a backlog goes faster with larger batches where invocations cost most', () => {
    const throughput = (batch: number): number => {
      const plan = planOf({ models: { a: work, b: work }, host: LOCAL_HOST, batch });
      return simulate(plan, allocationOf(plan, 4), { arrivals: backlog(3000), seed: 1, openExecutions: 16 }).throughput;
    };
    expect(throughput(8)).toBeGreaterThan(2 * throughput(1));
    expect(throughput(64)).toBeGreaterThan(2 * throughput(8));
  });

  it('fusing saves dispatches, and so Temporal actions', () => {
    const of = (stages: readonly { readonly functions: readonly string[]; readonly after?: readonly string[] }[]) => {
      const plan = planOf({ models: { a: work, b: work }, stages, host: LOCAL_HOST });
      return simulate(plan, allocationOf(plan, 4), { arrivals: poissonArrivals(10, 500, 1), seed: 1 });
    };
    const apart = of([{ functions: ['a'] }, { functions: ['b'], after: ['a'] }]);
    const fused = of([{ functions: ['a', 'b'] }]);
    // Start and settling 2, and an attempt per stage.
    expect(apart.actionsPer1000).toBeCloseTo(4000, -2);
    expect(fused.actionsPer1000).toBeCloseTo(3000, -2);
    expect(fused.costPer1000.all).toBeLessThan(apart.costPer1000.all);
    expect(fused.latencyMs.mean).toBeLessThan(apart.latencyMs.mean);
  });
});

describe('pools', () => {
  const host = { ...IDEAL_HOST, coldStartMs: 100, idleMs: 1000 };
  const plan = planOf({ models: { a: { ioFixedMs: 10 } }, host });

  it('start instances on demand, and end those without work', () => {
    const arrivals = Float64Array.from({ length: 20 }, (_, i) => i * 5000);
    const { stages, latencyMs } = simulate(plan, allocationOf(plan, 4), { arrivals, seed: 1, warm: false, warmUp: 0, coolDown: 0 });
    expect(stages[0]?.coldStarts).toBe(20);
    expect(latencyMs.mean).toBeGreaterThan(80);
    expect(latencyMs.mean).toBeLessThan(140);
    // Each is there for its start, its work and 1,000 idle milliseconds.
    expect(stages[0]!.provisionedMbS / 1024).toBeCloseTo((19 * (1000 + 10 + 100) + 110) / 1000, 0);
  });

  it('never run more at once than the concurrency says, while it changes too', () => {
    const busyPlan = planOf({ models: { a: { ioFixedMs: 100, cv: 0.5 } }, host });
    const simulator = new Simulator({
      plan: busyPlan,
      allocation: allocationOf(busyPlan, 3),
      arrivals: poissonArrivals(50, 5000, 1),
      seed: 2,
      warm: false,
    });
    let concurrency = 3;
    for (let t = 100, settled = 3; t < 60_000; t += 100) {
      simulator.run(t);
      const { busy, idle, starting } = simulator.pool(0);
      expect(busy + idle + starting).toBeLessThanOrEqual(Math.max(concurrency, settled));
      if (t % 5000 === 0) {
        settled = busy + idle + starting;
        concurrency = 1 + ((t / 5000) % 7);
        simulator.setConcurrency(0, concurrency);
      }
      if (t % 5000 === 2000) settled = 0;
    }
  });

  it('go on in steps as they would in one, and with another memory size start anew', () => {
    const make = () => new Simulator({ plan, allocation: allocationOf(plan, 2), arrivals: poissonArrivals(20, 2000, 1), seed: 2 });
    const [whole, stepped] = [make(), make()];
    whole.run(50_000);
    for (let t = 15; t <= 50_000; t += 15) stepped.run(t);
    stepped.run(50_000);
    expect(stepped.latencyMs).toEqual(whole.latencyMs);
    stepped.setMemory(0, 2048);
    const before = stepped.stages.coldStarts[0]!;
    stepped.run(60_000);
    expect(stepped.stages.coldStarts[0]).toBeGreaterThan(before);
  });

  it('provide ahead what they are told to', () => {
    const ahead = planOf({ models: { a: { ioFixedMs: 10 } }, host: { ...host, provisioning: 'ahead' } });
    const simulator = new Simulator({ plan: ahead, allocation: allocationOf(ahead, 5), arrivals: backlog(20), seed: 1, warm: false });
    simulator.run(50);
    expect(simulator.pool(0)).toMatchObject({ starting: 5, queued: 20 });
    simulator.run(10_000);
    expect(simulator.pool(0)).toEqual({ busy: 0, idle: 5, starting: 0, queued: 0 });
    simulator.setConcurrency(0, 2);
    expect(simulator.pool(0).idle).toBe(2);
  });
});

describe('parts of a batch', () => {
  const run = (partitions: number, more: Partial<Parameters<typeof planOf>[0]> = {}) => {
    const models = { a: { ioPerRecordMs: 10 } };
    const plan = planOf({ models, stages: [{ functions: ['a'], partitions }], batch: 8, ...more });
    return simulate(plan, allocationOf(plan, 8), { arrivals: backlog(800), seed: 1, openExecutions: 1 });
  };

  it('run beside each other: so many invocations, and a stage as much shorter', () => {
    const [whole, parted] = [run(1), run(4)];
    expect(parted.stages[0]!.invocations).toBeCloseTo(4 * whole.stages[0]!.invocations);
    expect([whole, parted].map(({ stages }) => [stages[0]!.recordsPerInvocation, stages[0]!.serviceMs])).toEqual([
      [8, 80],
      [2, 20],
    ]);
    expect(parted.throughput).toBeCloseTo(4 * whole.throughput);
  });

  it('each read and hold the whole of it', () => {
    const host = { ...IDEAL_HOST, serialisationMsPerKb: 1 };
    // 8 KB are read, and what is its own is written.
    expect([1, 4].map((partitions) => run(partitions, { host, recordBytes: 1024 }).stages[0]!.cpuMs)).toEqual([8 + 8, 8 + 2]);
    expect(() => run(4, { models: { a: { memoryPerRecordMb: 150 } } })).toThrow(expect.objectContaining({ code: 'MEMORY_TOO_SMALL' }));
  });
});

describe('a record that is to be tried again', () => {
  const node = { retry: { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 } };
  const run = (retry: number, batch = 1) => {
    const plan = planOf({ models: { a: { ioFixedMs: 10, retry } }, node, batch });
    return simulate(plan, allocationOf(plan, 500), { arrivals: poissonArrivals(50, 4_000, 1), seed: 1, warmUp: 0, coolDown: 0 });
  };

  it('waits longer every time, and dies at its last attempt', () => {
    const { records, latencyMs, stages, actionsPer1000 } = run(1);
    expect(records).toMatchObject({ completed: 0, dead: 4_000 });
    for (const took of Object.values(latencyMs)) expect(took).toBeCloseTo(10 + 100 + 10 + 200 + 10);
    expect(stages[0]).toMatchObject({ invocations: 3 * 4_000, retried: 2 * 4_000 });
    expect(actionsPer1000).toBeGreaterThan(run(0).actionsPer1000 + 2_000);
  });

  it('leaves the others of its batch; most come through with the attempts that they have', () => {
    const { records, stages } = run(0.5, 10);
    expect(records.dead / 4_000).toBeCloseTo(0.5 ** 3, 1);
    expect(records.completed + records.dead).toBe(4_000);
    expect(stages[0]!.retried / 4_000).toBeCloseTo(0.5 + 0.5 ** 2, 1);
  });
});

describe('bad input is refused in words', () => {
  const plan = planOf({ models: { a: { memoryMb: 900, memoryPerRecordMb: 1 } }, batch: 200 });
  const arrivals = poissonArrivals(10, 100, 1);
  it.each([
    [() => simulate(plan, allocationOf(plan, 1, 1024), { arrivals, seed: 1 }), 'MEMORY_TOO_SMALL'],
    [() => simulate(plan, {}, { arrivals, seed: 1 }), 'BAD_ALLOCATION'],
    [() => simulate(plan, allocationOf(plan, 0, 3072), { arrivals, seed: 1 }), 'BAD_ALLOCATION'],
    [() => simulate(plan, allocationOf(plan, 1, 3072), { arrivals: Float64Array.of(3, 2, Number.NaN), seed: 1 }), 'BAD_LOAD'],
    [() => simulate(plan, allocationOf(plan, 1, 3072), { arrivals: new Float64Array(30).fill(Number.NaN), seed: 1 }), 'BAD_LOAD'],
    [() => planOf({ models: { a: { cpuFixedMs: Number.NaN } } }), 'BAD_MODEL'],
    [() => planOf({ models: { a: { selectivity: 1.1 } } }), 'BAD_MODEL'],
    [
      () => planOf({ models: { a: {} }, host: { ...LOCAL_HOST, temporal: { ...LOCAL_HOST.temporal, activityMs: Number.NaN } } }),
      'BAD_MODEL',
    ],
    [() => planOf({ models: { a: {} }, host: { ...LOCAL_HOST, coldStartMs: -1 } }), 'BAD_MODEL'],
    [() => planOf({ models: { a: {} }, stages: [{ functions: ['b'] }] }), 'BAD_TOPOLOGY'],
    [() => planOf({ models: { a: {} }, stages: [{ functions: ['a'], after: ['a'] }] }), 'BAD_TOPOLOGY'],
  ])('%#', (run, code) => {
    expect(run).toThrow(PlanError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});
