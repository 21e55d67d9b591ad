import { ControlEnvironment, randomScenario, serviceMsAt, syntheticFunctions } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { runEpisode } from './episode.js';
import { FALLBACK } from './families.js';
import { forMeanLoad } from './mean-load.js';
import { onSizes, powerTuned, powerTunedSizes } from './power-tuning.js';
import { waysThrough } from './service-by-memory.js';
import { fixed } from './static.js';

const functions = syntheticFunctions(20, 1);
const scenario = (seed: number, computing = true) =>
  randomScenario(seed, { functions, split: 'train', stages: { least: 3, most: 5 }, computing });

describe('power tuning', () => {
  it('takes of each stage the size of which an invocation costs least', () => {
    const one = scenario(3);
    powerTunedSizes(one).forEach((chosen, s) => {
      const cost = (size: number): number => size * serviceMsAt(one.plan, s, size);
      for (const size of one.pipeline.stages[s]!.memoryMb) expect(cost(chosen)).toBeLessThanOrEqual(cost(size));
    });
  });

  it('raises sizes until the slowest way is short enough, as far as there are any, and no others', () => {
    const one = scenario(3);
    const slowest = (sizes: readonly number[]): number =>
      Math.max(...waysThrough(one.pipeline, sizes.map((size, s) => serviceMsAt(one.plan, s, size)))); // prettier-ignore
    const cheapest = powerTunedSizes(one);
    const within = powerTunedSizes(one, 0.6 * slowest(cheapest));
    expect(slowest(within)).toBeLessThanOrEqual(0.6 * slowest(cheapest));
    expect(within.every((size, s) => size >= cheapest[s]!)).toBe(true);
    expect(within).not.toEqual(cheapest);
    expect(slowest(powerTunedSizes(one, 0))).toBeGreaterThan(0);
    expect(powerTunedSizes(one, slowest(cheapest))).toEqual(cheapest);
  });

  it('costs less than the sizes that stages began with, for a constant and for a rule', () => {
    const cost = { began: 0, tuned: 0, rule: 0, ruleTuned: 0 };
    for (const one of [1, 2, 3, 4, 5].map((seed) => scenario(seed))) {
      const of = (allocator: Parameters<typeof runEpisode>[1]): number => runEpisode(one, allocator).cost;
      cost.began += of(forMeanLoad(one));
      cost.tuned += of(powerTuned(one));
      cost.rule += of(FALLBACK);
      cost.ruleTuned += of(onSizes(FALLBACK, powerTunedSizes(one)));
    }
    expect(cost.tuned).toBeLessThan(0.7 * cost.began);
    expect(cost.ruleTuned).toBeLessThan(0.7 * cost.rule);
  });

  it('is the constant for the mean load where a stage has one size', () => {
    const one = scenario(4, false);
    expect(runEpisode(one, powerTuned(one))).toEqual(runEpisode(one, forMeanLoad(one)));
  });
});

it('an invocation takes as long as its size says, and computes as much whatever the size', () => {
  const one = scenario(6);
  const { pipeline, plan } = one;
  const measured = (sizeOf: (sizes: readonly number[]) => number) => {
    const environment = new ControlEnvironment(one);
    const sizes = pipeline.stages.map(({ memoryMb }) => sizeOf(memoryMb));
    const controller = fixed('', sizes.map((memoryMb) => ({ memoryMb, concurrency: 48 }))).start(pipeline); // prettier-ignore
    const sums = sizes.map(() => ({ served: 0, serviceMs: 0, cpuMs: 0 }));
    for (let i = 0; i < 160; i++) {
      environment.step(controller.decide(environment.state));
      environment.state.tick!.stages.forEach(({ served, serviceMs, cpuMs }, s) => {
        // What began before the size was set is no invocation of that size.
        if (i < 8) return;
        sums[s] = { served: sums[s]!.served + served, serviceMs: sums[s]!.serviceMs + serviceMs, cpuMs: sums[s]!.cpuMs + cpuMs! };
      });
    }
    return sums.map(({ served, serviceMs, cpuMs }, s) => ({
      ms: serviceMs / served / serviceMsAt(plan, s, sizes[s]!),
      cpuMs: cpuMs / served,
    }));
  };
  const [small, large] = [measured((sizes) => sizes[0]!), measured((sizes) => sizes.at(-1)!)];
  small.forEach(({ ms, cpuMs }, s) => {
    expect(Math.abs(ms - 1)).toBeLessThan(0.1);
    expect(Math.abs(large[s]!.ms - 1)).toBeLessThan(0.1);
    expect(Math.abs(cpuMs / large[s]!.cpuMs - 1)).toBeLessThan(0.1);
  });
});
