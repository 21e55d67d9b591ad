import { expect, it } from 'vitest';
import { lossesOf } from './losses.js';
import type { Push } from './watch.js';

const at = (seconds: number): Date => new Date(1_000_000 + 1000 * seconds);
/** Of a thousand decisions each. */
const pushes: Push[] = (
  [
    [0, 1],
    [1, 2],
    [0, 3],
    [1, 4],
    [0, 5],
    [1, 6],
    [0, 20],
    [1, 22],
  ] as const
).map(([learner, seconds], i) => ({ learner, version: i + 1, lag: 1, steps: 1000 * (i + 1), at: at(seconds) }));

it('has lost what it had played since its last change, and goes on with its next', () => {
  // A change every two seconds, the last one half a second ago.
  expect(lossesOf(pushes, { learner: 1, at: at(6.5).getTime(), checkpointAt: at(3) })).toEqual({
    learner: 1,
    resumedAfterSeconds: 15.5,
    stepsLost: 250,
    changesSinceCheckpoint: 2,
  });
});

it('has lost no more than one change, and nothing of one that was under way', () => {
  expect(lossesOf(pushes, { learner: 0, at: at(15).getTime() })).toMatchObject({ stepsLost: 1000, changesSinceCheckpoint: 3 });
  expect(lossesOf(pushes, { learner: 1, at: at(5.5).getTime() })).toMatchObject({ stepsLost: 0, resumedAfterSeconds: 16.5 });
});

it('did not go on where nothing came of it any more', () => {
  expect(lossesOf(pushes, { learner: 1, at: at(30).getTime() }).resumedAfterSeconds).toBeNull();
});
