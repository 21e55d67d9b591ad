import { randomScenario, syntheticFunctions, type ControlledPipeline, type ControlScenario } from '@autoflow/twin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clairvoyant } from './clairvoyant.js';
import { runEpisode, scoreAt } from './episode.js';
import { FALLBACK, RULES } from './families.js';
import { withinLimits } from './limits.js';
import { powerTuned } from './power-tuning.js';
import { fixed, hindsightStatic } from './static.js';

const functions = syntheticFunctions(20, 1);
const scenarios = [1, 2, 3, 4].map((seed): ControlScenario =>
  randomScenario(seed, { functions, split: 'train', stages: { least: 2, most: 4 } }),
);

describe('allocators', () => {
  it('that know what comes beat every rule, and every rule beats one instance per stage', () => {
    for (const scenario of scenarios.slice(0, 2)) {
      const score = (allocator: Parameters<typeof runEpisode>[1]): number => scoreAt(20, runEpisode(scenario, allocator));
      const least = score(fixed('one each', []));
      const known = score(clairvoyant(scenario));
      for (const rule of Object.values(RULES).map((family) => family[0]!)) {
        expect(score(rule)).toBeLessThan(least);
        expect(known).toBeLessThan(score(rule));
      }
      expect(score(powerTuned(scenario))).toBeLessThan(least);
      expect(score(hindsightStatic(scenario, 20))).toBeLessThan(score(powerTuned(scenario)));
    }
  });

  it('decide alike for alike ticks', () => {
    const [scenario] = scenarios as [ControlScenario];
    expect(runEpisode(scenario, FALLBACK)).toEqual(runEpisode(scenario, FALLBACK));
  });
});

describe('withinLimits', () => {
  const pipelines = fc.array(fc.record({ min: fc.nat(3), span: fc.nat(20) }), { minLength: 1, maxLength: 6 }).chain((ranges) =>
    fc.record({
      fleet: fc.integer({ min: ranges.reduce((sum, { min }) => sum + min, 0), max: 80 }),
      ranges: fc.constant(ranges),
      wanted: fc.array(fc.oneof(fc.double(), fc.integer({ min: -5, max: 60 })), { maxLength: 6 }),
    }),
  );

  it('keeps every bound, whatever is wanted', () => {
    fc.assert(
      fc.property(pipelines, ({ fleet, ranges, wanted }) => {
        const pipeline: ControlledPipeline = {
          stages: ranges.map(({ min, span }, s) => ({
            name: `s${s}`,
            after: [],
            followers: [],
            concurrency: { min, max: min + span },
            memoryMb: [256, 1024],
          })),
          sloMs: 1000,
          coldStartMs: 100,
          intervalMs: 15_000,
          fleet,
        };
        const targets = withinLimits(
          pipeline,
          wanted.map((concurrency) => ({ concurrency, memoryMb: 300 })),
        );
        expect(targets).toHaveLength(ranges.length);
        expect(targets.reduce((sum, { concurrency }) => sum + concurrency, 0)).toBeLessThanOrEqual(fleet);
        targets.forEach(({ concurrency, memoryMb }, s) => {
          expect(Number.isInteger(concurrency)).toBe(true);
          expect(concurrency).toBeGreaterThanOrEqual(ranges[s]!.min);
          expect(concurrency).toBeLessThanOrEqual(ranges[s]!.min + ranges[s]!.span);
          expect(memoryMb).toBe(1024);
        });
      }),
    );
  });
});
