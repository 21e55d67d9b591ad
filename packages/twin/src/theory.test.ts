import { expect, it } from 'vitest';
import { poissonArrivals } from './arrivals.js';
import { simulate, type Simulation } from './simulate.js';
import type { FunctionModel } from './model/function-model.js';
import type { HostModel } from './model/host-model.js';
import { allocationOf, IDEAL_HOST, planOf } from './testing/plans.js';

/** One stage, one record per invocation, Poisson arrivals. */
function station(given: {
  readonly model: Partial<FunctionModel>;
  readonly host?: Partial<HostModel>;
  readonly instances: number;
  readonly perSecond: number;
  readonly records: number;
  readonly noise?: 'exponential';
}): Simulation {
  const plan = planOf({ models: { work: given.model }, host: { ...IDEAL_HOST, ...given.host } });
  return simulate(plan, allocationOf(plan, given.instances), {
    arrivals: poissonArrivals(given.perSecond, given.records, 3),
    seed: 5,
    ...(given.noise && { noise: given.noise }),
  });
}

/** Relative to what theory says. */
const error = (simulated: number, theory: number): number => Math.abs(simulated / theory - 1);

/** Waiting probability of M/M/c. */
function erlangC(servers: number, load: number): number {
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (load * blocked) / (k + load * blocked);
  const busy = load / servers;
  return blocked / (1 - busy + busy * blocked);
}

it('M/D/1: W = s + ρ·s / (2·(1 − ρ))', () => {
  const { latencyMs } = station({ model: { ioFixedMs: 100 }, instances: 1, perSecond: 7, records: 300_000 });
  expect(error(latencyMs.mean, 100 + (0.7 * 100) / (2 * 0.3))).toBeLessThan(0.02);
});

it('M/M/1: W = s / (1 − ρ), and exponential, so p95 = W·ln 20', () => {
  const { latencyMs } = station({ model: { ioFixedMs: 100, cv: 1 }, instances: 1, perSecond: 7, records: 500_000, noise: 'exponential' });
  expect(error(latencyMs.mean, 100 / 0.3)).toBeLessThan(0.02);
  expect(error(latencyMs.p95, (100 / 0.3) * Math.log(20))).toBeLessThan(0.02);
});

it('M/M/c: W = s·(1 + C(c, a) / (c·(1 − ρ)))', () => {
  for (const [servers, perSecond] of [
    [2, 15],
    [8, 68],
  ] as const) {
    const model = { ioFixedMs: 100, cv: 1 };
    const { latencyMs } = station({ model, instances: servers, perSecond, records: 400_000, noise: 'exponential' });
    const load = perSecond / 10;
    expect(error(latencyMs.mean, 100 * (1 + erlangC(servers, load) / (servers - load)))).toBeLessThan(0.02);
  }
});

it('M/G/1 with first come, first served: Pollaczek and Khinchine', () => {
  const { latencyMs } = station({ model: { ioFixedMs: 100, cv: 0.7 }, instances: 1, perSecond: 7, records: 400_000 });
  expect(error(latencyMs.mean, 100 + (0.7 * 100 * (1 + 0.49)) / (2 * 0.3))).toBeLessThan(0.02);
});

it('M/G/1 with processor sharing: W = s / (1 − ρ), whatever the distribution', () => {
  for (const cv of [0, 1]) {
    const model = { cpuFixedMs: 100, cv };
    const { latencyMs, cpu } = station({ model, host: { cores: 1 }, instances: 500, perSecond: 7, records: 300_000 });
    expect(error(latencyMs.mean, 100 / 0.3)).toBeLessThan(0.02);
    expect(error(cpu, 0.7)).toBeLessThan(0.02);
  }
});

it('processor sharing on c cores, each job on at most one: as M/M/c', () => {
  const model = { cpuFixedMs: 100, cv: 1 };
  const { latencyMs } = station({ model, host: { cores: 4 }, instances: 500, perSecond: 32, records: 400_000, noise: 'exponential' });
  expect(error(latencyMs.mean, 100 * (1 + erlangC(4, 3.2) / 0.8))).toBeLessThan(0.02);
});

it('Temporal is M/D/1 for what passes it', () => {
  const temporal = { servers: 1, activityMs: 7, startMs: 0, settleMs: 0, recordMs: 0, latencyMs: 3, onHost: false };
  const { latencyMs, stages } = station({ model: {}, host: { temporal }, instances: 10, perSecond: 100, records: 300_000 });
  const hop = 7 + (0.7 * 7) / (2 * 0.3) + 3;
  expect(error(stages[0]!.dispatchMs, hop)).toBeLessThan(0.02);
  // Start and settling have no work here, but take the fixed time.
  expect(error(latencyMs.mean, hop + 6)).toBeLessThan(0.02);
});
