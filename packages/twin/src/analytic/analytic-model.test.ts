import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poissonArrivals } from '../arrivals.js';
import { kendallTau } from '../kendall.js';
import type { FunctionModel } from '../model/function-model.js';
import { LOCAL_HOST, type HostModel } from '../model/host-model.js';
import type { PlanModel } from '../model/plan-model.js';
import { simulate } from '../simulate.js';
import { uniform } from '../traces/random.js';
import { allocationOf, planOf } from '../testing/plans.js';
import { AnalyticModel } from './analytic-model.js';

const CLOUD: HostModel = {
  ...LOCAL_HOST,
  cores: 12,
  cpuFollowsMemory: true,
  idleMs: Number.POSITIVE_INFINITY,
  temporal: { ...LOCAL_HOST.temporal, onHost: false },
};
const RATE = 25;
const names = ['a', 'b', 'c', 'd', 'e'];

/** Plans of one pipeline of five functions: cuts, memory, batch. */
function plans(count: number, seed: number): { readonly plan: PlanModel; readonly memoryMb: number }[] {
  const random = uniform(seed);
  const models = Object.fromEntries(
    names.map((name): [string, Partial<FunctionModel>] => [
      name,
      {
        cpuFixedMs: 1 + 5 * random(),
        cpuPerRecordMs: 0.5 + 5 * random(),
        ioFixedMs: random() < 0.4 ? 20 * random() : 0,
        ioPerRecordMs: random() < 0.4 ? 4 * random() : 0,
        memoryMb: 40 * random(),
        memoryPerRecordMb: 0.3,
        cv: 0.2 + 0.4 * random(),
        selectivity: random() < 0.2 ? 0.7 : 1,
      },
    ]),
  );
  return Array.from({ length: count }, () => {
    const stages: { functions: string[]; after: string[] }[] = [];
    for (const name of names) {
      const last = stages.at(-1);
      if (last && random() < 0.5) last.functions.push(name);
      else stages.push({ functions: [name], after: last ? [last.functions[0]!] : [] });
    }
    const batch = [1, 4, 16, 64][Math.floor(4 * random())]!;
    return {
      plan: planOf({ models, stages, host: CLOUD, batch, lingerMs: 200, recordBytes: 2000 }),
      memoryMb: [512, 1024, 1769][Math.floor(3 * random())]!,
    };
  });
}

it('ranks plans as the simulator does, and is near it where nothing is overloaded', () => {
  const formula = { cost: [] as number[], p95: [] as number[] };
  const twin = { cost: [] as number[], p95: [] as number[] };
  const errors: number[] = [];
  for (const { plan, memoryMb } of plans(60, 4)) {
    const allocation = allocationOf(plan, 12, memoryMb);
    const predicted = new AnalyticModel(plan, { ratePerSecond: RATE }).predict(allocation);
    const simulated = simulate(plan, allocation, { arrivals: poissonArrivals(RATE, 2000, 1), seed: 1 });
    formula.cost.push(predicted.costPer1000.all);
    formula.p95.push(predicted.latencyMs.p95);
    twin.cost.push(simulated.costPer1000.all);
    twin.p95.push(simulated.latencyMs.p95);
    if (predicted.capacity > 1.3 * RATE) errors.push(Math.abs(predicted.latencyMs.mean / simulated.latencyMs.mean - 1));
  }
  expect(kendallTau(formula.cost, twin.cost)).toBeGreaterThan(0.9);
  expect(kendallTau(formula.p95, twin.p95)).toBeGreaterThan(0.8);
  expect(errors.length).toBeGreaterThan(30);
  expect(errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)]).toBeLessThan(0.05);
});

it('a single record on a plan without load takes what its parts take', () => {
  const plan = planOf({ models: { a: { cpuFixedMs: 10 }, b: { ioFixedMs: 20 } } });
  const { latencyMs, costPer1000 } = new AnalyticModel(plan, { ratePerSecond: 1e-6 }).predict(allocationOf(plan, 1));
  expect(latencyMs.mean).toBeCloseTo(30, 4);
  // 31 billed milliseconds of 1 GB (the rounding up counts for half each), two invocations, four actions.
  expect(costPer1000.withoutActions).toBeCloseTo(31 * 0.0000166667 + 2 * 0.0002, 8);
  expect(costPer1000.all - costPer1000.withoutActions).toBeCloseTo(4 * 0.05, 8);
});

describe('what must go one way', () => {
  it('more load never makes it faster, more instances never slower', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 8 }), fc.nat(1000), (rate, instances, seed) => {
        const { plan, memoryMb } = plans(1, seed)[0]!;
        const p95 = (perSecond: number, concurrency: number): number =>
          new AnalyticModel(plan, { ratePerSecond: perSecond }).predict(allocationOf(plan, concurrency, memoryMb)).latencyMs.mean;
        expect(p95(rate, instances + 1)).toBeLessThanOrEqual(p95(rate, instances) + 1e-9);
        // Larger batches fill sooner under more load, so only where nothing is batched.
        if (plan.batchRecords === 1) expect(p95(rate * 1.2, instances)).toBeGreaterThanOrEqual(p95(rate, instances) - 1e-9);
      }),
    );
  });
});

it('a working set that does not fit is no prediction', () => {
  const plan = planOf({ models: { a: { memoryMb: 600 } } });
  const model = new AnalyticModel(plan, { ratePerSecond: 1 });
  expect(model.evaluate([512])).toBeUndefined();
  expect(model.evaluate([1024])).toBeDefined();
  expect(() => model.predict(allocationOf(plan, 1, 512))).toThrow(expect.objectContaining({ code: 'MEMORY_TOO_SMALL' }));
  expect(() => new AnalyticModel(plan, { ratePerSecond: Number.NaN })).toThrow(expect.objectContaining({ code: 'BAD_LOAD' }));
});
