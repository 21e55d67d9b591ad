import { serviceMsAt, type ControlScenario } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { targetsForMeanLoad } from './mean-load.js';
import { waysThrough } from './service-by-memory.js';
import { fixed } from './static.js';

/** Of the slowest way: who is on one that is as slow but for rounding is on it. */
const NEARLY = 1 - 1e-9;

/**
 * In MB, by stage: the size at which an invocation costs least, memory × duration; of two that cost the same the smaller. That is what a sweep of
 * AWS Lambda Power Tuning chooses by its strategy `cost`, each function by itself. Given how long the slowest way through the pipeline may take, in
 * milliseconds, sizes along it are raised until it does, each time the one that costs least for the time that it gains.
 */
export function powerTunedSizes(
  { pipeline, plan }: Pick<ControlScenario, 'pipeline' | 'plan'>,
  mostWayMs = Number.POSITIVE_INFINITY,
): readonly number[] {
  const time = (s: number, size: number): number => serviceMsAt(plan, s, size);
  const cost = (s: number, size: number): number => size * time(s, size);
  let chosen: readonly number[] = pipeline.stages.map(({ memoryMb }, s) =>
    memoryMb.reduce((best, size) => (cost(s, size) < cost(s, best) ? size : best)),
  );
  for (;;) {
    const ways = waysThrough(
      pipeline,
      chosen.map((size, s) => time(s, size)),
    );
    const slowest = Math.max(...ways);
    if (slowest <= mostWayMs) return chosen;
    const raises = chosen.flatMap((now, s) =>
      ways[s]! < NEARLY * slowest
        ? []
        : pipeline.stages[s]!.memoryMb.filter((size) => time(s, size) < time(s, now)).map((size) => ({
            sizes: chosen.with(s, size),
            price: (cost(s, size) - cost(s, now)) / (time(s, now) - time(s, size)),
          })),
    );
    if (raises.length === 0) return chosen;
    chosen = raises.reduce((a, b) => (b.price < a.price ? b : a)).sizes;
  }
}

/** A constant: the cheapest sizes, and as many instances as the mean load of the window before asks for at them. */
export function powerTuned(scenario: ControlScenario): Allocator {
  return fixed('power-tuned', targetsForMeanLoad(scenario, powerTunedSizes(scenario)));
}

/** The allocator decides on instances, and each stage has instances of its size, in MB, whatever the allocator says of memory. */
export function onSizes(allocator: Allocator, sizesMb: readonly number[]): Allocator {
  return {
    name: allocator.name,
    start(pipeline) {
      const inner = allocator.start(pipeline);
      return { ...inner, decide: (state) => inner.decide(state).map((target, s) => ({ ...target, memoryMb: sizesMb[s]! })) };
    },
  };
}
