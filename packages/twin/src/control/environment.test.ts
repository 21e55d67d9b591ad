import { describe, expect, it } from 'vitest';
import { ControlEnvironment } from './environment.js';
import { splitFunctions, syntheticFunctions } from './functions.js';
import { randomScenario, type ControlScenario } from './scenario.js';

const functions = syntheticFunctions(20, 1);
const scenario = (seed: number, least = 4, most = 7): ControlScenario =>
  randomScenario(seed, { functions, split: 'train', stages: { least, most } });

/** So many instances of every stage, to the end. */
function hold(given: ControlScenario, instances: number, steps = 60): ControlEnvironment & { lateShare: number } {
  const environment = new ControlEnvironment(given);
  const targets = given.pipeline.stages.map(({ memoryMb }) => ({ concurrency: instances, memoryMb: memoryMb[0]! }));
  let [late, blamed] = [0, 0];
  for (let i = 0; i < steps; i++) {
    environment.step(targets);
    late += environment.late;
    blamed += environment.blame.reduce((sum, share) => sum + share, 0);
  }
  expect(blamed).toBeCloseTo(late, 9);
  return Object.assign(environment, { lateShare: late / steps });
}

describe('the control environment', () => {
  it('is the same for the same seed, and another for another', () => {
    const ticks = (seed: number) => hold(scenario(seed), 4, 20).state.tick;
    expect(ticks(3)).toEqual(ticks(3));
    expect(ticks(3)).not.toEqual(ticks(4));
  });

  it('shares out every late record among the stages: none where there are instances enough, many where there are few', () => {
    expect(hold(scenario(5), 48).lateShare).toBeLessThan(0.02);
    expect(hold(scenario(5), 1).lateShare).toBeGreaterThan(0.3);
  });

  it('costs what is provisioned, by stage', () => {
    const environment = hold(scenario(6), 10);
    const { pipeline, referenceMb } = environment.scenario;
    pipeline.stages.forEach(({ memoryMb }, s) => expect(environment.cost[s]).toBeCloseTo((10 * memoryMb[0]!) / referenceMb, 6));
  });

  it('counts as arrivals of a stage what asked it for an instance', () => {
    const environment = new ControlEnvironment(scenario(7));
    const targets = environment.scenario.pipeline.stages.map(({ memoryMb }) => ({ concurrency: 20, memoryMb: memoryMb[0]! }));
    let [arrived, first] = [0, 0];
    for (let i = 0; i < 100; i++) {
      environment.step(targets);
      arrived += environment.state.tick!.arrived;
      first += environment.state.tick!.stages[0]!.arrivals;
    }
    expect(Math.abs(arrived - first)).toBeLessThanOrEqual(2);
  });

  it('has any service level and interval where it is asked to vary, and loads that control can serve', () => {
    const made = Array.from({ length: 60 }, (_, seed) =>
      randomScenario(seed, { functions, split: 'train', stages: { least: 2, most: 9 }, varied: true }),
    );
    const intervals = made.map(({ pipeline }) => pipeline.intervalMs);
    expect(Math.min(...intervals)).toBeLessThan(2_000);
    expect(Math.max(...intervals)).toBeGreaterThan(20_000);
    expect(Math.min(...made.map(({ pipeline }) => pipeline.sloMs))).toBeLessThan(2_000);
    expect(made.every(({ ratePerSecond, arrivals }) => ratePerSecond > 0 && arrivals.length > 50)).toBe(true);
    const short = made.find(({ pipeline }) => pipeline.intervalMs < 2_000)!;
    expect(hold(short, 48).lateShare).toBeLessThan(0.3);
    // Whoever does not ask gets what there always was.
    expect(scenario(5).pipeline.intervalMs).toBe(15_000);
  });

  it('has stages with several sizes where memory is to matter, each of which holds the working set; else one, and no CPU', () => {
    const made = Array.from({ length: 20 }, (_, seed) =>
      randomScenario(seed, { functions, split: 'train', stages: { least: 2, most: 9 }, computing: true }),
    );
    const stages = made.flatMap(({ pipeline }) => pipeline.stages);
    expect(Math.max(...stages.map(({ memoryMb }) => memoryMb.length))).toBe(5);
    expect(stages.every(({ memoryMb }) => memoryMb.length >= 2)).toBe(true);
    const [one] = made as [ControlScenario];
    const tick = hold(one, 20, 30).state.tick!;
    tick.stages.forEach(({ cpuMs, serviceMs, workingSetMb, memoryMb }) => {
      expect(cpuMs).toBeGreaterThan(0);
      expect(cpuMs).toBeLessThan(serviceMs);
      expect(workingSetMb).toBeGreaterThanOrEqual(30);
      expect(workingSetMb).toBeLessThanOrEqual(0.95 * memoryMb);
    });
    expect(hold(scenario(5), 20, 5).state.tick!.stages[0]).not.toHaveProperty('cpuMs');
    expect(scenario(5).pipeline.stages.every(({ memoryMb }) => memoryMb.length === 1)).toBe(true);
  });

  it('has pipelines of the lengths asked for, some of them with joins', () => {
    const made = Array.from({ length: 40 }, (_, seed) => scenario(seed, 2, 9).pipeline.stages);
    expect(new Set(made.map(({ length }) => length))).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9]));
    expect(made.some((stages) => stages.some(({ after }) => after.length === 2))).toBe(true);
  });
});

it('an application is never on both sides of the split', () => {
  const shared = functions.map((one, i) => ({ ...one, app: `app-${i % 5}` }));
  const { train, test } = splitFunctions(shared);
  expect(train.length + test.length).toBe(shared.length);
  const apps = new Set(train.map(({ app }) => app));
  expect(test.some(({ app }) => apps.has(app))).toBe(false);
});
