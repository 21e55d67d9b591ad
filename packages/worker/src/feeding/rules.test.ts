import { expect, it } from 'vitest';
import { roomOf } from '@autoflow/store';
import { OpenBound } from '@autoflow/topology';
import type { Lane } from './lanes.js';
import { mayWaitMs } from './ripeness.js';
import { Rooms } from './room.js';

const BOUNDS = { records: 10, bytes: 1_000 };
const head = (more: object) => ({ records: 1, bytes: 10, oldestMs: 100, ...more });

it('lets a batch go when it is full, has lingered, or holds a record that must not wait', () => {
  expect(mayWaitMs({ records: 0, bytes: 0 }, BOUNDS, 0)).toBe(Infinity);
  expect(mayWaitMs(head({}), BOUNDS, 500)).toBe(400);
  expect(mayWaitMs(head({ oldestMs: 500 }), BOUNDS, 500)).toBe(0);
  expect(mayWaitMs(head({ records: 10 }), BOUNDS, 500)).toBe(0);
  expect(mayWaitMs(head({ bytes: 1_000 }), BOUNDS, 500)).toBe(0);
  expect(mayWaitMs(head({ dueInMs: 50 }), BOUNDS, 500)).toBe(50);
  expect(mayWaitMs(head({ dueInMs: -50 }), BOUNDS, 500)).toBe(0);
});

const SETTINGS = { targetMs: 2_000, initial: 8, least: 2, most: 100, everyMs: 500 };
/** Limits after each observation; fed as much as it lets, unless `idle`. */
function limits(means: readonly number[], idle = false): number[] {
  const bound = new OpenBound(SETTINGS);
  return means.map((meanOpenMs, at) => {
    if (!idle) bound.reached();
    bound.observe({ closed: 5, meanOpenMs }, at * 500);
    return bound.limit;
  });
}

it('opens up while executions end in time, and backs off when they do not', () => {
  expect(limits([100, 100, 100])).toEqual([16, 32, 64]);
  expect(limits([100, 100, 3_000, 100, 100, 100, 100, 100, 100, 100])).toEqual([16, 32, 22, 22, 22, 22, 22, 22, 24, 26]);
  // Once for what was open at the time, and again when those are late that began after.
  expect(limits([100, 5_000, ...Array<number>(9).fill(5_000), 5_000])).toEqual([16, ...Array<number>(10).fill(11), 7]);
  expect(limits(Array<number>(100).fill(5_000).fill(100, 0, 1)).at(-1)).toBe(2);
  expect(limits([100, 100, 100, 100, 100, 100, 100]).at(-1)).toBe(100);
});

it('stays where it is when it is not what holds feeding back, and when nothing has ended', () => {
  expect(limits([100, 100, 100], true)).toEqual([8, 8, 8]);
  const bound = new OpenBound(SETTINGS);
  bound.reached();
  bound.observe({ closed: 0, meanOpenMs: 0 }, 0);
  expect(bound.limit).toBe(8);
});

it('does not choke a pipeline whose executions take long by nature', () => {
  expect(limits([30_000, 31_000, 30_500])).toEqual([16, 32, 64]);
});

it('keeps the instances that there are busy, however the few that end in a second fall out', () => {
  const bound = new OpenBound(SETTINGS);
  bound.keepBusy(9);
  expect(bound.limit).toBe(18);
  // Of executions of three seconds, one in a second: the shortest was half as long.
  for (const [at, meanOpenMs] of [1_600, 3_500, 3_600, 5_100, 3_300, 6_000].entries()) {
    bound.reached();
    bound.observe({ closed: 1, meanOpenMs }, at * 7_000);
  }
  expect(bound.limit).toBe(18);
  bound.reached();
  bound.observe({ closed: 1, meanOpenMs: 1_500 }, 60_000);
  expect(bound.limit).toBe(20);
  bound.keepBusy(1_000);
  expect(bound.limit).toBe(100);
});

const lane = (arm: Lane['arm'], backfill?: { id: string; maxShare: number; concurrency: number }, version = 'v2') =>
  ({ arm, version, stream: { backfill } }) as unknown as Lane;
type Counts = { readonly [name: string]: number };
const load = (open: Counts, ofBackfills: { readonly [room: string]: Counts } = {}, instances: Counts = {}) => ({
  instances,
  rooms: Object.fromEntries(
    Object.entries(open).map(([room, n]) => [room, { open: n, ofBackfill: ofBackfills[room] ?? {}, closed: 0, meanOpenMs: 0 }]),
  ),
});
const [stable, candidate, pinned] = [lane('stable'), lane('candidate'), lane('pinned')];

it('what an arm has open keeps nothing of another one from being fed, nor of its next version', () => {
  const next = lane('candidate', undefined, 'v3');
  const room = new Rooms().of([stable, candidate, next], load({ stable: 7, 'candidate v2': 8 }), 0);
  expect([candidate, next, stable, pinned].map((one) => room.has(one))).toEqual([false, true, true, true]);
  expect(room.full).toBe(true);
  room.take(pinned);
  expect(room.has(stable)).toBe(false);
});

it('each room is as wide as the instances of its version ask for', () => {
  const room = new Rooms().of([stable, candidate], load({ stable: 11, 'candidate v2': 11 }, {}, { v2: 6 }), 0);
  expect([stable, candidate].map((one) => room.has(one))).toEqual([true, true]);
  const pinnedAlone = new Rooms().of([pinned], load({ stable: 11 }, {}, { v2: 6 }), 0);
  expect(pinnedAlone.has(pinned)).toBe(false);
});

it('an arm that is slow is held back, and the others grow', () => {
  const bounds = new Rooms();
  const fast = { open: 500, ofBackfill: {}, closed: 9, meanOpenMs: 100 };
  for (let now = 0; now < 60_000; now += 1_000) {
    const slow = { ...fast, meanOpenMs: now === 0 ? 100 : 200_000 };
    const room = bounds.of([stable, candidate], { rooms: { stable: fast, 'candidate v2': slow }, instances: {} }, now);
    for (const one of [stable, candidate]) room.has(one);
  }
  const free = (one: Lane, open: number) => bounds.of([stable, candidate], load({ [roomOf(one)]: open }), 60_000).has(one);
  expect([free(stable, 400), free(candidate, 4), free(candidate, 5)]).toEqual([true, true, false]);
});

it('backfills have their share of each room, and each its own concurrency in all of them', () => {
  const one = lane('stable', { id: 'b1', maxShare: 0.5, concurrency: 5 });
  const other = lane('stable', { id: 'b2', maxShare: 0.5, concurrency: 9 });
  const beside = lane('candidate', { id: 'b1', maxShare: 0.5, concurrency: 5 });
  const at = (ofBackfill: Counts) =>
    new Rooms().of([stable, one, other, beside], load({ stable: sum(ofBackfill) }, { stable: ofBackfill }), 0);
  expect([one, other].map((lane) => at({ b1: 3 }).has(lane))).toEqual([true, true]);
  expect([one, other, stable].map((lane) => at({ b1: 4 }).has(lane))).toEqual([false, false, true]);
  expect([one, other, beside, stable].map((lane) => at({ b1: 2, b2: 2 }).has(lane))).toEqual([false, false, true, true]);
  const room = at({ b1: 4 });
  room.take(beside);
  expect(room.has(beside)).toBe(false);
});

const sum = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0);
