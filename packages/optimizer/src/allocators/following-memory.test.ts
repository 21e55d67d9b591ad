import { ControlState, type ControlledPipeline, type StageTick } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { allocatorOf } from './allocator.js';
import { followingMemory, NOTCH_EVERY } from './following-memory.js';
import { serviceAt, waysThrough } from './service-by-memory.js';

const INTERVAL_MS = 15_000;
const SIZES = [128, 256, 512, 1024, 1769, 3072];

/** What every interval shows of a stage, by batch. */
interface Shown {
  readonly memoryMb?: number;
  readonly ms?: number;
  readonly cpuMs?: number;
  readonly workingSetMb?: number;
  readonly queued?: number;
  /** Only in every other interval. */
  readonly queuedAtTimes?: number;
  readonly outOfMemory?: number;
  readonly outOfMemoryMb?: number;
}
interface World {
  readonly stages: readonly Shown[];
  /** Indices of the stages before each; default: one after the other. */
  readonly after?: readonly (readonly number[])[];
  readonly sizes?: readonly number[];
  readonly sloMs?: number;
  readonly late?: number;
  readonly steps?: number;
  readonly cpuFollowsMemory?: boolean;
}

/** The sizes that are wanted after so many intervals of the same, and why. */
function wanted(world: World): { sizes: number[]; why: string[] } {
  const { stages, after = stages.map((_, s) => (s === 0 ? [] : [s - 1])), sizes = SIZES, sloMs = 4_000, late = 0 } = world;
  const pipeline: ControlledPipeline = {
    stages: stages.map((_, s) => ({
      name: `s${s}`,
      after: after[s]!,
      followers: after.flatMap((before, other) => (before.includes(s) ? [other] : [])),
      concurrency: { min: 1, max: 32 },
      memoryMb: sizes,
    })),
    sloMs,
    coldStartMs: 100,
    intervalMs: INTERVAL_MS,
    ...(world.cpuFollowsMemory !== undefined && { cpuFollowsMemory: world.cpuFollowsMemory }),
  };
  const state = new ControlState(pipeline, stages.map(({ ms = 400 }) => ms)); // prettier-ignore
  const same = allocatorOf({ name: 'same', start: () => ({ want: ({ concurrency }) => [...concurrency], explain: () => 'same' }) });
  const controller = followingMemory(same).start(pipeline);
  let targets = controller.decide(state);
  for (let i = 1; i <= (world.steps ?? NOTCH_EVERY); i++) {
    state.observe({ at: i * INTERVAL_MS, arrived: 100, late, stages: stages.map((shown) => tickOf(shown, i)) });
    targets = controller.decide(state);
  }
  return { sizes: targets.map(({ memoryMb }) => memoryMb), why: stages.map((_, s) => controller.explain(s)) };
}

function tickOf(
  { memoryMb = 1024, ms = 400, cpuMs, workingSetMb = 60, outOfMemory = 0, outOfMemoryMb = 0, ...more }: Shown,
  i: number,
): StageTick {
  const served = 100;
  const queued = more.queued ?? (i % 2) * (more.queuedAtTimes ?? 0);
  const measured = { workingSetMb, outOfMemory, outOfMemoryMb, ...(cpuMs !== undefined && { cpuMs: served * cpuMs }) };
  const time = { serviceMs: served * ms, busyMs: 3 * INTERVAL_MS, provisionedMs: 4 * INTERVAL_MS };
  return { arrivals: served, served, queued, starting: 0, concurrency: 4, memoryMb, ...time, ...measured };
}

describe('memory is lowered', () => {
  it('by one size, where the next smaller one has plenty of room and the CPU that goes is not missed', () => {
    const { sizes, why } = wanted({ stages: [{ cpuMs: 10 }] });
    expect(sizes).toEqual([512]);
    // 10 ms at 0.58 of a core are 17 of the 400, and twice as much at half of that.
    expect(why[0]).toBe('same; memory to 512 MB: at most 60 MB are used, and with less CPU it takes 17 ms more');
  });

  it('not before it has been looked for as long as a notch takes', () =>
    expect(wanted({ stages: [{ cpuMs: 10 }], steps: NOTCH_EVERY - 1 }).sizes).toEqual([1024]));

  it('not where what is used would nearly fill the next smaller size', () =>
    expect(wanted({ stages: [{ cpuMs: 10, workingSetMb: 310 }] }).sizes).toEqual([1024]));

  it('not where the stage computes: it would need as many instances more', () => {
    expect(wanted({ stages: [{ cpuMs: 230 }], sloMs: 60_000 }).sizes).toEqual([1024]);
    // What was not measured may be CPU.
    expect(wanted({ stages: [{}], sloMs: 60_000 }).sizes).toEqual([1024]);
  });

  it('not where the way through would take more than half of the service level, each stage adding to it', () => {
    const reads = { cpuMs: 20 };
    // 435 ms instead of 400 each.
    expect(wanted({ stages: [reads, reads], sloMs: 1_680 }).sizes).toEqual([512, 1024]);
    expect(wanted({ stages: [reads, reads], sloMs: 1_740 }).sizes).toEqual([512, 512]);
    expect(wanted({ stages: [reads, reads], sloMs: 1_640 }).sizes).toEqual([1024, 1024]);
    // Beside a stage that is slow already: only the way through it counts.
    expect(wanted({ stages: [{ ms: 600, cpuMs: 200 }, reads], after: [[], []], sloMs: 1_000 }).sizes).toEqual([1024, 512]);
  });

  it('not while batches are late, whatever makes them so', () =>
    expect(wanted({ stages: [{ cpuMs: 1, queued: 90 }], sloMs: 60_000, late: 2 }).sizes).toEqual([1024]));

  it('not to a size of which an instance died, though more is allocated by now', () => {
    expect(wanted({ stages: [{ cpuMs: 10, outOfMemoryMb: 512 }] }).sizes).toEqual([1024]);
    expect(wanted({ stages: [{ cpuMs: 10, outOfMemoryMb: 256 }] }).sizes).toEqual([512]);
  });

  it('to no size that is not offered', () => expect(wanted({ stages: [{ cpuMs: 10 }], sizes: [1024, 3072] }).sizes).toEqual([1024]));

  it('by the working set alone, where CPU does not follow memory', () => {
    const computes = { cpuMs: 400 };
    expect(wanted({ stages: [computes], sloMs: 500, late: 50, cpuFollowsMemory: false }).sizes).toEqual([512]);
    expect(wanted({ stages: [{ ...computes, workingSetMb: 310 }], cpuFollowsMemory: false }).sizes).toEqual([1024]);
  });
});

describe('memory is raised', () => {
  const computes = { memoryMb: 256, ms: 1_400, cpuMs: 200 };

  it('where instances ran out of it or came near, and stays where that was the largest size', () => {
    expect(wanted({ stages: [{ cpuMs: 1, outOfMemory: 2, outOfMemoryMb: 1024 }] }).sizes).toEqual([1769]);
    expect(wanted({ stages: [{ cpuMs: 1, workingSetMb: 880 }] }).sizes).toEqual([1769]);
    expect(wanted({ stages: [{ cpuMs: 1, memoryMb: 3072, outOfMemory: 1 }] }).sizes).toEqual([3072]);
  });

  it('where service alone makes late, of every stage on the slowest way whose CPU has part in it', () => {
    const { sizes, why } = wanted({ stages: [computes, { ms: 400, cpuMs: 1 }], sloMs: 2_000, late: 5 });
    expect(sizes).toEqual([512, 1024]);
    expect(why[0]).toContain('5 % late without a queue, and with more CPU it takes 691 ms less');
    // Side by side, as slow as each other, and one that is not.
    const beside = { stages: [computes, computes, { ...computes, ms: 700, cpuMs: 100 }], after: [[], [], []], sloMs: 1_500, late: 5 };
    expect(wanted(beside).sizes).toEqual([512, 512, 256]);
  });

  it('also where the service level is longer than what is looked back on', () =>
    expect(wanted({ stages: [{ ...computes, ms: 100_000, cpuMs: 14_000 }], sloMs: 25 * INTERVAL_MS, late: 5 }).sizes).toEqual([512]));

  it('not where a queue makes late, or did within the service level', () => {
    expect(wanted({ stages: [{ ...computes, queued: 9 }], sloMs: 1_500, late: 5 }).sizes).toEqual([256]);
    expect(wanted({ stages: [{ ...computes, queuedAtTimes: 9 }], sloMs: 1_500, late: 5 }).sizes).toEqual([256]);
  });

  it('not for one late batch in a hundred, nor where service is too short to make late, nor where CPU has no part in it', () => {
    expect(wanted({ stages: [computes], sloMs: 1_500, late: 1 }).sizes).toEqual([256]);
    expect(wanted({ stages: [computes], sloMs: 6_000, late: 5 }).sizes).toEqual([256]);
    expect(wanted({ stages: [{ ...computes, cpuMs: 1 }], sloMs: 1_500, late: 5 }).sizes).toEqual([256]);
    expect(wanted({ stages: [{ ...computes, workingSetMb: 100 }], sloMs: 1_500, late: 5, cpuFollowsMemory: false }).sizes).toEqual([256]);
  });

  it('not beyond the cores that are used', () =>
    expect(wanted({ stages: [{ memoryMb: 1769, ms: 1_400, cpuMs: 1_400 }], sloMs: 1_500, late: 5 }).sizes).toEqual([1769]));
});

describe('service by memory', () => {
  const at = (ms: number, cpuMs: number, from: number, to: number) =>
    serviceAt({ served: 10, serviceMs: 10 * ms, cpuMs: 10 * cpuMs }, from, to);

  it('stretches what is computed by the share of a core, and nothing else', () => {
    expect(at(100, 0, 1024, 128)).toBe(100);
    expect(at(400, 100, 884.5, 442.25)).toBe(600);
    expect(at(600, 100, 442.25, 884.5)).toBe(400);
    // More than a core is of use to no single thread; of two, half goes.
    expect(at(100, 100, 3538, 1769)).toBe(100);
    expect(at(100, 200, 3538, 1769)).toBe(200);
  });

  it('adds up along the slowest way through each stage', () => {
    const stages = [[], [0], [0], [1, 2]].map((after, s, all) => ({
      name: `s${s}`,
      after,
      followers: all.flatMap((before, other) => (before.includes(s) ? [other] : [])),
      concurrency: { min: 1, max: 1 },
      memoryMb: [128],
    }));
    expect(waysThrough({ stages }, [1, 20, 300, 4_000])).toEqual([4_301, 4_021, 4_301, 4_301]);
  });
});
