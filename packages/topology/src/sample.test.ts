import { expect, test } from 'vitest';
import { samplePosition } from './sample.js';

test('spreads keys that look alike evenly, and always in the same way', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => String(536_365 + i));
  const positions = keys.map(samplePosition);
  for (const share of [0.01, 0.1, 0.5]) {
    const taken = positions.filter((position) => position < share).length / keys.length;
    expect(Math.abs(taken - share)).toBeLessThan(0.01);
  }
  expect(new Set(positions).size).toBeGreaterThan(19_990);
  expect(samplePosition('536365')).toBe(positions[0]);
  expect(Math.max(...positions)).toBeLessThan(1);
});
