import type { ControlEnvironment } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { rewards } from './reward.js';

/** An interval of two stages: what they cost, the late records that they are blamed for, and what was completed. */
function interval({ cost = [0, 0], blame = [0, 0], completed = 0 }): ControlEnvironment {
  return { cost: Float64Array.from(cost), blame: Float64Array.from(blame), completed } as unknown as ControlEnvironment;
}

describe('the reward inside the service level', () => {
  it('is less by what a stage costs and by k for each late record that it is blamed for', () => {
    expect([...rewards(interval({ cost: [0.5, 0.25], blame: [0, 0.1] }), 20, 'in-slo')]).toEqual([-0.5, expect.closeTo(-2.25, 9)]);
    // At k = 80 scaled by a half: 0.5·(0.5 + 80·0.05).
    expect(rewards(interval({ cost: [0.5, 0], blame: [0.05, 0] }), 80, 'in-slo')[0]).toBeCloseTo(-2.25, 9);
    expect(rewards(interval({ completed: 1 }), 20, 'in-slo')[0]).toBeCloseTo(0, 9);
  });

  it('does not fall below the most that an interval says', () => {
    expect([...rewards(interval({ blame: [0.5, 50] }), 20, 'in-slo')]).toEqual([-4, -4]);
    // Before that bound, three late records for each that came: 0.05·3 at a scale of 20.
    expect(rewards(interval({ blame: [0.5, 50] }), 0.05, 'in-slo')[1]).toBeCloseTo(-3, 9);
  });
});

it('the plain reward is k for every completed record, however late, in equal shares, less the cost', () => {
  const plain = (of: Parameters<typeof interval>[0]) => [...rewards(interval(of), 20, 'plain')];
  expect(plain({ cost: [0.5, 0.25], completed: 0.1 })).toEqual([expect.closeTo(0.5, 9), expect.closeTo(0.75, 9)]);
  expect(plain({ blame: [1, 1], completed: 0.1 })).toEqual([1, 1]);
  expect(plain({ completed: 60 })).toEqual([4, 4]);
});
