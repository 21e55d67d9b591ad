import { ControlState, randomScenario, syntheticFunctions, type ControlledPipeline, type ControlScenario } from '@autoflow/twin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Allocator } from './allocator.js';
import { clairvoyant } from './clairvoyant.js';
import { runEpisode, scoreAt } from './episode.js';
import { FALLBACK, RULES } from './families.js';
import { hpa } from './hpa.js';
import { kedaLike } from './keda.js';
import { raisedWithinLimits, withinLimits } from './limits.js';
import { forMeanLoad } from './mean-load.js';
import { staffing } from './staffing.js';
import { steady } from './steady.js';
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
      expect(score(forMeanLoad(scenario))).toBeLessThan(least);
      expect(score(hindsightStatic(scenario, 20))).toBeLessThan(score(forMeanLoad(scenario)));
    }
  });

  it('decide alike for alike ticks', () => {
    const [scenario] = scenarios as [ControlScenario];
    expect(runEpisode(scenario, FALLBACK)).toEqual(runEpisode(scenario, FALLBACK));
  });
});

/** What an interval of one stage shows, and what is wanted for the next one, by hand. */
interface Row {
  readonly now?: number;
  readonly busy?: number;
  readonly arrivals?: number;
  readonly queued?: number;
  readonly wanted: number;
}

describe('the rules want what their formulas say', () => {
  it.each<[string, Allocator, readonly Row[]]>([
    [
      'HPA: ⌈now · utilisation / target⌉, but nothing within a tenth of the target',
      hpa({ target: 0.5, stabilisationMs: 0 }),
      [
        { now: 10, busy: 6, wanted: 12 },
        { now: 10, busy: 5.4, wanted: 10 },
        { now: 20, busy: 9.2, wanted: 20 },
        { now: 10, busy: 3, wanted: 6 },
        { now: 3, busy: 2, wanted: 4 },
      ],
    ],
    [
      'HPA: up by a factor of 2 or by 4, whichever is more',
      hpa({ target: 0.2, stabilisationMs: 0 }),
      [
        { now: 1, busy: 1, wanted: 5 },
        { now: 2, busy: 2, wanted: 6 },
        { now: 10, busy: 10, wanted: 20 },
      ],
    ],
    [
      'HPA: down to the highest recommendation of a minute, up at once',
      hpa({ target: 0.5, stabilisationMs: 60_000 }),
      [
        { now: 10, busy: 5, wanted: 10 },
        { now: 10, busy: 2, wanted: 10 },
        { now: 10, busy: 3, wanted: 10 },
        { now: 10, busy: 2, wanted: 10 },
        { now: 10, busy: 2, wanted: 10 },
        { now: 10, busy: 2, wanted: 6 },
        { now: 6, busy: 2, wanted: 6 },
        { now: 6, busy: 2, wanted: 4 },
        { now: 4, busy: 4, wanted: 8 },
      ],
    ],
    [
      'KEDA: work by work per instance, to zero',
      kedaLike({ perInstance: 2, cooldownMs: 0 }),
      [
        { now: 4, busy: 4, queued: 3, wanted: 4 },
        { now: 4, busy: 4, wanted: 2 },
        { now: 2, busy: 0, wanted: 0 },
      ],
    ],
    [
      'KEDA: down after the cool-down, up at once',
      kedaLike({ perInstance: 2, cooldownMs: 30_000 }),
      [
        { now: 4, busy: 4, queued: 4, wanted: 4 },
        { now: 4, busy: 2, wanted: 4 },
        { now: 4, busy: 1, wanted: 4 },
        { now: 4, busy: 2, wanted: 1 },
        { now: 1, busy: 1, queued: 9, wanted: 5 },
      ],
    ],
    [
      'staffing: need + β√need, of what comes, what waits and half the growth',
      staffing({ beta: 1, trend: 0.5 }),
      [
        { arrivals: 40, wanted: 6 }, // 4 + √4
        { arrivals: 90, wanted: 15 }, // 9 + 5/2 = 11.5; + 3.4
        { arrivals: 40, queued: 50, wanted: 12 }, // 4 + 5; + 3
        { arrivals: 0, wanted: 1 },
      ],
    ],
  ])('%s', (_, allocator, rows) => {
    const controller = allocator.start(ONE);
    const state = new ControlState(ONE, [SERVICE_MS]);
    rows.forEach(({ now = 4, busy = 0, arrivals = 0, queued = 0, wanted }, i) => {
      const stage = { arrivals, served: 0, serviceMs: 0, starting: 0, queued, concurrency: now, memoryMb: 512 };
      const time = { busyMs: busy * INTERVAL_MS, provisionedMs: now * INTERVAL_MS };
      state.observe({ at: i * INTERVAL_MS, arrived: arrivals, late: 0, stages: [{ ...stage, ...time }] });
      expect([i, controller.decide(state)]).toEqual([i, [{ concurrency: wanted, memoryMb: 512 }]]);
    });
  });
});

const INTERVAL_MS = 15_000;
/** Ten arrivals of an interval keep one instance busy. */
const SERVICE_MS = 1_500;
const ONE: ControlledPipeline = {
  stages: [{ name: 'only', after: [], followers: [], concurrency: { min: 0, max: 100 }, memoryMb: [512] }],
  sloMs: 1_000,
  coldStartMs: 100,
  intervalMs: INTERVAL_MS,
};

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

describe('steady', () => {
  const bounded = (fleet: number, ranges: readonly { readonly min: number; readonly max: number }[]): ControlledPipeline => ({
    stages: ranges.map((concurrency, s) => ({ name: `s${s}`, after: [], followers: [], concurrency, memoryMb: [512] })),
    sloMs: 1000,
    coldStartMs: 100,
    intervalMs: INTERVAL_MS,
    fleet,
  });
  /** What is decided where so much runs and so much is wanted, interval by interval. */
  const decided = (
    pipeline: ControlledPipeline,
    rows: readonly { readonly now: readonly number[]; readonly wanted: readonly number[] }[],
  ) => {
    let wanted: readonly number[] = [];
    const start: Allocator['start'] = () => ({
      decide: () =>
        withinLimits(
          pipeline,
          wanted.map((concurrency) => ({ concurrency, memoryMb: 512 })),
        ),
      explain: () => '',
    });
    const controller = steady({ name: 'told', start }).start(pipeline);
    const state = new ControlState(
      pipeline,
      pipeline.stages.map(() => SERVICE_MS),
    );
    return rows.map((row) => {
      wanted = row.wanted;
      state.concurrency.set(row.now);
      return controller.decide(state).map(({ concurrency }) => concurrency);
    });
  };
  const range = { min: 1, max: 40 };

  it('raises at once, gives up what two decisions agree on, and leaves alone what is not worth it', () => {
    expect(
      decided(bounded(100, [range, range]), [
        { now: [10, 10], wanted: [10, 20] },
        { now: [10, 20], wanted: [4, 19] },
        { now: [10, 20], wanted: [6, 21] },
      ]),
    ).toEqual([
      [10, 20],
      [10, 20],
      [6, 20],
    ]);
  });

  it('gives up what it would have kept, where the fleet has no room for it', () => {
    expect(decided(bounded(38, [range, range]), [{ now: [20, 20], wanted: [19, 19] }])).toEqual([[19, 19]]);
    const moved = [
      { now: [15, 5], wanted: [15, 5] },
      { now: [15, 5], wanted: [5, 15] },
    ];
    expect(decided(bounded(20, [range, range]), moved)[1]).toEqual([5, 15]);
  });

  it('never has more than the fleet, unless the least of all stages is more; also where the bound is lowered below what runs', () => {
    const count = fc.integer({ min: 0, max: 60 });
    const worlds = fc.array(fc.record({ min: fc.nat(3), span: fc.nat(20) }), { minLength: 1, maxLength: 5 }).chain((ranges) => {
      const counts = fc.array(count, { minLength: ranges.length, maxLength: ranges.length });
      return fc.record({
        ranges: fc.constant(ranges.map(({ min, span }) => ({ min, max: min + span }))),
        fleet: count,
        rows: fc.array(fc.record({ now: counts, wanted: counts }), { minLength: 1, maxLength: 5 }),
      });
    });
    fc.assert(
      fc.property(worlds, ({ ranges, fleet, rows }) => {
        const pipeline = bounded(fleet, ranges);
        const least = ranges.reduce((sum, { min }) => sum + min, 0);
        const sized = (counts: readonly number[]) => counts.map((concurrency) => ({ concurrency, memoryMb: 512 }));
        const raised = rows.map(({ now, wanted }) =>
          raisedWithinLimits(pipeline, sized(now), sized(wanted)).map(({ concurrency }) => concurrency),
        );
        for (const targets of [...decided(pipeline, rows), ...raised]) {
          expect(targets.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(Math.max(fleet, least));
          targets.forEach((one, s) => {
            expect(one).toBeGreaterThanOrEqual(ranges[s]!.min);
            expect(one).toBeLessThanOrEqual(ranges[s]!.max);
          });
        }
      }),
    );
  });
});
