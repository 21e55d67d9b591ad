import { expect, test } from 'vitest';
import { tail } from './guardrails.js';
import { canary, observer, uniform, type Candidate, type World } from './testing/canaries.js';

/** Whether it holds at any of the looks, one every four blocks. */
function everHolds(
  name: 'p95' | 'p99',
  seed: number,
  candidate: Candidate,
  alpha: number,
  world: Partial<World> = {},
  most = 240,
): boolean {
  const { add, seen } = observer();
  for (const block of canary({ batches: 12, batchRecords: 3, random: uniform(seed), ...world }, candidate)) {
    const blocks = add(block);
    if (blocks % 4 > 0) continue;
    if (tail(name, seen(), name === 'p95' ? 0.1 : 0.25, alpha, 12).state === 'holds') return true;
    if (blocks >= most) return false;
  }
  throw new Error('unreachable');
}
const share = (n: number, ...[name, candidate, alpha, world]: ['p95' | 'p99', Candidate, number, Partial<World>?]): number =>
  Array.from({ length: n }, (_, seed) => everHolds(name, 5_000 + seed, candidate, alpha, world)).filter(Boolean).length / n;

test.each<[string, 'p95' | 'p99', Candidate, Partial<World>?]>([
  ['of a candidate that is slower by just the margin', 'p95', { latency: 1.1 }],
  ['of the same by few large batches', 'p95', { latency: 1.1 }, { batches: 2, batchRecords: 25 }],
  ['of one that is faster but for one batch in twelve', 'p95', { latency: 0.5, slowTail: 0.085 }, { batches: 4, batchRecords: 12 }],
  [
    'of one that is far faster but for one large batch in eighteen',
    'p95',
    { latency: 0.13, slowTail: 0.055, slowTimes: 600 },
    { batches: 2, batchRecords: 20 },
  ],
  [
    'of one that is far faster but for one batch in ninety',
    'p99',
    { latency: 0.13, slowTail: 0.011, slowTimes: 600 },
    { batches: 12, batchRecords: 2 },
  ],
])('a tail beyond its margin holds no more often than is allowed, at all looks together: %s', (_, name, candidate, world) => {
  expect(share(100, name, candidate, 0.1, world)).toBeLessThanOrEqual(0.1);
});

test('a tail that is far better is shown by some hundred records of either arm, where batches are small', () => {
  expect(share(20, 'p95', { latency: 0.4 }, 0.05 / 6, { batches: 3, batchRecords: 1 })).toBeGreaterThanOrEqual(0.9);
});

test('nor does it take more than some 240 batches of a candidate whose own tail reaches into what is usual of the control', () => {
  const world = { batches: 1.5, batchRecords: 6 };
  const held = Array.from({ length: 20 }, (_, seed) => everHolds('p95', seed, { latency: 0.2 }, 0.05 / 6, world, 160));
  expect(held.filter(Boolean).length).toBeGreaterThanOrEqual(15);
});

/** Records of either arm until its p95 (p99) holds. */
function recordsUntil(name: 'p95' | 'p99', seed: number, candidate: Candidate, world: World): number {
  const { add, seen } = observer();
  let records = 0;
  for (const block of canary({ ...world, random: uniform(seed) }, candidate)) {
    records += block.candidate.records;
    if (add(block) % 4 === 0 && tail(name, seen(), name === 'p95' ? 0.1 : 0.25, 0.05 / 6, 12).state === 'holds') return records;
  }
  throw new Error('unreachable');
}

test.each([
  ['p95', 300],
  ['p99', 1_500],
] as const)(
  'a %s below what half (a tenth) of the control exceeds is shown by few records, even where the control is late in bursts',
  (name, most) => {
    const world = { batches: 8, batchRecords: 1, random: uniform(1) };
    const needed = Array.from({ length: 11 }, (_, seed) => recordsUntil(name, seed, { latency: 0.13 }, world)).sort((a, b) => a - b);
    expect(needed[5]).toBeLessThanOrEqual(most);
  },
);
