import { serviceMsAt, type ControlScenario, type StageTarget } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { fixed } from './static.js';

/** A constant: as many instances as the mean load ρ of the window before asks for, ⌈1.2ρ + 1.5√ρ⌉, of the sizes that stages begin with; never changed. */
export function forMeanLoad(scenario: ControlScenario): Allocator {
  const { pipeline, start } = scenario;
  const sizes = pipeline.stages.map(({ name }) => start[name]!.memoryMb);
  return fixed('constant for the mean load', targetsForMeanLoad(scenario, sizes));
}

/** By stage, at these sizes of memory in MB. */
export function targetsForMeanLoad(scenario: ControlScenario, sizesMb: readonly number[]): StageTarget[] {
  const { ratePerSecond } = scenario.before?.() ?? scenario;
  return sizesMb.map((memoryMb, s) => {
    const load = (ratePerSecond * serviceMsAt(scenario.plan, s, memoryMb)) / 1000;
    return { memoryMb, concurrency: Math.ceil(1.2 * load + 1.5 * Math.sqrt(load)) };
  });
}
