import { describe, expect, test } from 'vitest';
import { EMPTY_ARM_CELL } from '@autoflow/topology';
import type { Block } from './block.js';
import { costOf, latencyOf, meanRatio, pairs } from './guardrails.js';
import { GATE, judge, unknownHarms, type Judgement } from './judge.js';
import { canary, observer, uniform, type Candidate, type World } from './testing/canaries.js';

const LOOKS = 60;

/** Looks after every so many blocks until it is decided. Records come by batches here, not as keys would: their share has a test of its own. */
function rollout(
  seed: number,
  candidate: Candidate,
  looks: number,
  { every = 1, ...world }: Partial<World> & { every?: number } = {},
): Judgement {
  const { add, seen } = observer();
  for (const block of canary({ batches: 12, batchRecords: 3, random: uniform(seed), ...world }, candidate)) {
    const blocks = add(block);
    if (blocks % every > 0) continue;
    const judgement = judge(seen(), 0.5, GATE, []);
    if (judgement.verdict !== 'continue' || blocks === looks * every) return judgement;
  }
  throw new Error('unreachable');
}
const many = (n: number, candidate: Candidate, looks = LOOKS, world: Partial<World> & { every?: number } = {}): Judgement[] =>
  Array.from({ length: n }, (_, seed) => rollout(1_000 + seed, candidate, looks, world));
const count = (runs: readonly Judgement[], verdict: Judgement['verdict']): number => runs.filter((run) => run.verdict === verdict).length;

describe('with a look at every step', () => {
  test('of 200 candidates without a change at most 5 % are promoted and at most 5 % rolled back', () => {
    const runs = many(200, {});
    expect(count(runs, 'promote')).toBeLessThanOrEqual(10);
    expect(count(runs, 'roll-back')).toBeLessThanOrEqual(10);
    expect(runs.at(-1)?.reasons).toContainEqual(expect.stringContaining('the gain in cost may be none'));
  });

  test('nor are more than 5 % rolled back where records are repeated by whole batches, in either arm', () => {
    const runs = many(200, {}, LOOKS, { batches: 4, batchRecords: 12, again: 0.01 });
    expect(count(runs, 'roll-back')).toBeLessThanOrEqual(10);
    expect(count(runs, 'promote')).toBeLessThanOrEqual(10);
  });

  test('a gain of the size that is said to be detectable is found by most, and a large one by all', () => {
    const detectable = many(20, {}).map((run) => run.detectable!);
    const gain = detectable.reduce((sum, one) => sum + one / detectable.length, 0);
    expect(gain).toBeCloseTo(0.13, 1);
    // Said to be found by 80 %; 40 rollouts tell that from 60 %.
    const found = many(40, { cost: 1 - gain, latency: 0.7 }).filter((run) => run.gain!.low > 0);
    expect(found.length).toBeGreaterThanOrEqual(24);
    expect(count(many(10, { cost: 0.6, latency: 0.7 }, 40, { every: 12 }), 'promote')).toBe(10);
  });

  // Blocks of 5 s with 36 records of either arm, for half an hour.
  test.each([1.15, 1.25])('and a look a minute, of 40 cheap candidates that are slower by × %f at most 2 are promoted', (latency) => {
    const runs = many(40, { cost: 0.6, latency }, 30, { every: 12 });
    expect(count(runs, 'promote')).toBeLessThanOrEqual(2);
    expect(runs.find(({ verdict }) => verdict === 'continue')?.reasons).toContain('the guardrail of p95 is not shown yet');
  });

  test.each([
    ['at half the latency within 20 minutes', 0.5, 20, 20],
    ['at the same latency within 3 hours', 1, 6, 360],
  ])('a cheap candidate %s is promoted', (_, latency, looks, every) => {
    expect(count(many(10, { cost: 0.6, latency }, looks, { every }), 'promote')).toBeGreaterThanOrEqual(9);
  });

  test.each<[string, Candidate, RegExp]>([
    ['costs more', { cost: 1.3 }, /cost is higher/],
    ['loses one record in a hundred', { cost: 0.6, dead: 0.01 }, /more records die: by .* points; 0.5 points are allowed/],
    ['is slow', { cost: 0.6, latency: 1.5 }, /p9[59] is above the control's/],
    ['is slow in the tail only', { cost: 0.6, slowTail: 0.06 }, /p9[59] is above the control's/],
    ['filters other records', { cost: 0.6, filtered: 0.4 }, /filters other records/],
  ])('a cheap candidate that %s is rolled back', (_, candidate, reason) => {
    const runs = many(10, candidate, 100);
    expect(count(runs, 'roll-back')).toBeGreaterThanOrEqual(9);
    expect(runs.find(({ verdict }) => verdict === 'roll-back')?.reasons.join()).toMatch(reason);
  });

  test('records that do not reach the arms as assigned stop the comparison', () => {
    const cell = { ...EMPTY_ARM_CELL, records: 5_000 };
    expect(judge([{ candidate: cell, control: cell }], 0.5).sampleRatio.mismatch).toBe(false);
    expect(judge([{ candidate: { ...cell, records: 4_500 }, control: cell }], 0.5)).toMatchObject({
      verdict: 'roll-back',
      reasons: [expect.stringContaining('% of the records of both arms')],
    });
  });
});

test.each([
  ['cost', 6, costOf],
  ['latency', 7, latencyOf],
] as const)('where %s decides, each of %i metrics is tested at its share of alpha', (metric, metrics, of) => {
  const endless = canary({ batches: 12, batchRecords: 3, random: uniform(5) }, {});
  const blocks = Array.from({ length: LOOKS }, () => endless.next().value);
  const { low, high } = meanRatio(pairs(blocks, of), GATE.alpha / metrics, GATE.minimumBlocks)!;
  expect(judge(blocks, 0.5, { ...GATE, metric }, []).gain).toMatchObject({ low: -Math.expm1(high), high: -Math.expm1(low) });
});

test('nothing is promoted before there are enough records and blocks, nor on no records at all', () => {
  expect(judge([], 0.5)).toMatchObject({ verdict: 'continue', records: { candidate: 0, control: 0 } });
  const early = rollout(1, { cost: 0.2, latency: 0.2 }, 5);
  expect(early.verdict).toBe('continue');
  expect(early.reasons).toContain('5 of 12 blocks of time in the smaller arm');
});

test('blocks count for the arm that has fewer of them', () => {
  const seen = { ...EMPTY_ARM_CELL, records: 50, latencyMs: 50, charged: 50, costUsd: 1 };
  const blocks = Array.from({ length: 30 }, (_, i) => ({ candidate: i % 7 === 0 ? seen : EMPTY_ARM_CELL, control: seen }));
  const { reasons } = judge(blocks, 0.5, GATE, []);
  expect(reasons).toContain('5 of 12 blocks of time in the smaller arm');
  expect(reasons.join()).not.toContain('nothing is known of cost yet');
});

test('nor is anything decided by batches that were closed in a few blocks only: they seem to vary little', () => {
  const seen = { ...EMPTY_ARM_CELL, records: 50, latencyMs: 50 };
  const blocks = Array.from({ length: 30 }, (_, i) => ({
    candidate: { ...seen, ...(i === 7 && { charged: 100, costUsd: 2 }) },
    control: { ...seen, ...(i === 9 && { charged: 100, costUsd: 1 }) },
  }));
  expect(judge(blocks, 0.5)).toMatchObject({ verdict: 'continue', reasons: expect.arrayContaining(['nothing is known of cost yet']) });
});

test('a tail without a margin is no guardrail', () => {
  const blocks = [{ candidate: { ...EMPTY_ARM_CELL, records: 5 }, control: { ...EMPTY_ARM_CELL, records: 5 } }];
  const names = (margins: Partial<typeof GATE.margins>) =>
    judge(blocks, 0.5, { ...GATE, margins: { ...GATE.margins, ...margins } }).guardrails.map(({ name }) => name);
  expect(names({ p99: null })).toEqual(['dead', 'errors', 'filtered', 'p95']);
  expect(names({ p95: null })).toContain('p99');
});

test('blocks in which records still run do not show that nobody dies', () => {
  const blocks: Block[] = [];
  for (const block of canary({ batches: 100, batchRecords: 3, random: uniform(3) })) {
    if (blocks.push(block) === 20) break;
  }
  const dead = (of: readonly Block[]) => judge(of, 0.5).guardrails.find(({ name }) => name === 'dead')?.state;
  expect(dead(blocks)).toBe('holds');
  expect(dead(blocks.map((block) => ({ ...block, control: { ...block.control, running: 1 } })))).toBe('open');
});

test('how much a candidate hurts is known when it is bounded: not by what is just not shown to be worse', () => {
  const early = rollout(1, {}, 14);
  expect(unknownHarms(early)).toEqual([
    'the guardrail of dead is not shown yet',
    'the guardrail of errors is not shown yet',
    'that at most twice as many records are late beyond p95 is not shown yet',
    'that at most twice as many records are late beyond p99 is not shown yet',
  ]);
  const later = rollout(1, {}, 10, { every: 12 });
  expect(later.guardrails.filter(({ state }) => state === 'open').map(({ name }) => name)).toEqual(['p95', 'p99']);
  expect(unknownHarms(later)).toEqual([]);
});
