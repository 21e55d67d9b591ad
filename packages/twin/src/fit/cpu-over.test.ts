import { expect, it } from 'vitest';
import { cpuOver } from './cpu-over.js';

it('adds up what stretches used between two moments, as if each had computed evenly', () => {
  const used = cpuOver([
    { from: 0, to: 10, cpuMs: 5 },
    { from: 5, to: 15, cpuMs: 20 },
    { from: 7, to: 7, cpuMs: 9 },
  ]);
  expect(used(0, 10)).toBeCloseTo(5 + 10, 9);
  expect(used(4, 6)).toBeCloseTo(1 + 2, 9);
  expect(used(-5, 100)).toBeCloseTo(25, 9);
  expect(used(15, 20)).toBeCloseTo(0, 9);
  expect(cpuOver([])(0, 10)).toBe(0);
});
