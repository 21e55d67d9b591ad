import { expect, it } from 'vitest';
import { OpenBound } from '@autoflow/topology';
import { mayWaitMs } from './ripeness.js';

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
