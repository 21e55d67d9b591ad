import type { ControlledPipeline, ControlTick } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { compareOn, playedOf, type Observed } from './live.js';
import { fixed } from './static.js';

const INTERVAL_MS = 15_000;
const SERVICE_MS = 1_000;
const MEMORY_MB = 512;

/** Stages in a row. */
const pipelineOf = (stages: number): ControlledPipeline => ({
  stages: Array.from({ length: stages }, (_, s) => ({
    name: `s${s}`,
    after: s === 0 ? [] : [s - 1],
    followers: s === stages - 1 ? [] : [s + 1],
    concurrency: { min: 1, max: 100 },
    memoryMb: [MEMORY_MB],
  })),
  sloMs: 10_000,
  coldStartMs: 100,
  intervalMs: INTERVAL_MS,
});

const tick = (i: number, arrived: number, invoked: readonly number[]): ControlTick => ({
  at: i * INTERVAL_MS,
  arrived,
  late: 0,
  stages: invoked.map((arrivals) => ({
    ...{ arrivals, served: arrivals, serviceMs: arrivals * SERVICE_MS, busyMs: arrivals * SERVICE_MS, provisionedMs: 4 * INTERVAL_MS },
    ...{ queued: 0, starting: 0, concurrency: 4, memoryMb: MEMORY_MB },
  })),
});

const observed = (intervals: number, arrived: number, invoked: readonly number[]): Observed => ({
  pipeline: pipelineOf(invoked.length),
  services: invoked.map(() => ({ ms: SERVICE_MS, cv: 0.1 })),
  ticks: Array.from({ length: intervals }, (_, i) => tick(i, arrived, invoked)),
});

/** So many instances of each stage, to the end. */
const holding = (...instances: number[]) =>
  fixed(
    'held',
    instances.map((concurrency) => ({ concurrency, memoryMb: MEMORY_MB })),
  );

describe('a comparison on what was observed', () => {
  it('tells the cost as a multiple of what the load keeps busy: of each stage as often as it was invoked', () => {
    // 45 batches, of which every third reaches the second stage, in two partitions the third: 3, 1 and 6 instances are busy.
    const [held] = compareOn(observed(41, 45, [45, 15, 90]), [holding(6, 2, 12)], 20);
    expect(held!.cost).toBeCloseTo(2, 6);
    expect(held!.score).toBe(held!.cost + 20 * held!.late);
  });

  it('asks no more instances of a stage than reach it, and no fewer', () => {
    const late = (invoked: readonly number[], ...instances: number[]) =>
      compareOn(observed(41, 45, invoked), [holding(...instances)], 20)[0]!.late;
    expect(late([45, 15], 8, 2)).toBeLessThan(0.02);
    expect(late([45, 45], 8, 2)).toBeGreaterThan(0.5);
    expect(late([45, 90], 8, 4)).toBeGreaterThan(0.5);
    expect(late([45, 90], 8, 16)).toBeLessThan(0.02);
  });

  it('plays parts of a batch side by side', () => {
    // Eight seconds one after the other and one after that: beyond the service level of ten seconds only where somebody waits.
    const [held] = compareOn(observed(41, 1, [1, 8]), [holding(4, 40)], 20);
    expect(held!.late).toBe(0);
    const tight = { ...observed(41, 1, [1, 8]), pipeline: { ...pipelineOf(2), sloMs: 4_000 } };
    expect(compareOn(tight, [holding(4, 40)], 20)[0]!.late).toBe(0);
    expect(compareOn(tight, [holding(4, 1)], 20)[0]!.late).toBeGreaterThan(0.9);
  });

  it('is the same for the same ticks, and asks every allocator with the same luck', () => {
    const same = compareOn(observed(41, 20, [20, 13]), [holding(3, 2), holding(3, 2)], 20);
    expect(same[0]).toEqual(same[1]);
    expect(compareOn(observed(41, 20, [20, 13]), [holding(3, 2)], 20)).toEqual(same.slice(1));
  });
});

describe('the intervals that a comparison is about', () => {
  const ticksOf = (intervals: number, arrived: number, invoked: readonly number[]) => observed(intervals, arrived, invoked).ticks;

  it('are all but the first', () => {
    expect(playedOf(ticksOf(41, 500, [500, 500]))).toBe(40);
    expect(playedOf([])).toBe(0);
  });

  it('are as many of the latest as can be simulated: a million invocations', () => {
    expect(playedOf(ticksOf(161, 5_000, [5_000, 5_000]))).toBe(99);
    expect(playedOf(ticksOf(161, 5_000, [5_000, 35_000]))).toBe(24);
    // A stage that is seldom reached is asked for by every batch.
    expect(playedOf(ticksOf(161, 5_000, [5_000, 0]))).toBe(99);
    expect(playedOf(ticksOf(161, 2_000_000, [2_000_000]))).toBe(1);
  });
});
