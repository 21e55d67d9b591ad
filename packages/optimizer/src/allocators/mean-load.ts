import type { ControlScenario } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { fixed } from './static.js';

/**
 * A constant: as many instances as the mean load ρ of the window before asks for, ⌈1.2ρ + 1.5√ρ⌉, and then no change. More than that a
 * power-tuning sweep could not be in a scenario whose stages have one memory size each and compute nothing; where they have more, none is run.
 */
export function forMeanLoad(scenario: ControlScenario): Allocator {
  const { ratePerSecond } = scenario.before?.() ?? scenario;
  const targets = scenario.pipeline.stages.map(({ name }, s) => {
    const load = (ratePerSecond * scenario.serviceMs[s]!) / 1000;
    return { memoryMb: scenario.start[name]!.memoryMb, concurrency: Math.ceil(1.2 * load + 1.5 * Math.sqrt(load)) };
  });
  return fixed('constant for the mean load', targets);
}
