import { expect, it } from 'vitest';
import { bestSoFar, reached, speedUp, type Judged } from './reached.js';

const curve = (...points: readonly (readonly [number, number, number])[]): Judged[] =>
  points.map(([seconds, steps, score]) => ({ seconds, steps, score }));

const single = curve([10, 100, 8], [20, 200, 4], [30, 300, 5], [40, 400, 3.95]);

it('keeps what was best, as a training does', () => {
  expect(bestSoFar(single).map(({ score }) => score)).toEqual([8, 4, 4, 3.95]);
});

it('has reached a score when it was first no worse', () => {
  expect(reached(single, 4)?.seconds).toBe(20);
  expect(reached(single, 3.9)).toBeUndefined();
});

it('is as soon as the other where both are the same, and the other is where it got to within the tolerance', () => {
  expect(speedUp(single, single, 0)).toEqual({ time: 1, steps: 1, rate: 1 });
  expect(speedUp(curve([20, 200, 4]), single, 0.02).time).toBe(1);
  expect(speedUp(curve([20, 200, 4]), single, 0).time).toBe(Number.POSITIVE_INFINITY);
});

it('takes apart what more decisions cost and what more of them in a second bring', () => {
  const four = curve([5, 90, 9], [15, 360, 4], [20, 600, 3.9]);
  // 600 decisions for 400, at 30 in a second for 10.
  expect(speedUp(four, single, 0)).toEqual({ time: 0.5, steps: 1.5, rate: 3 });
});
