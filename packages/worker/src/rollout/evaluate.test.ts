import { GATE, judge, type Block } from '@autoflow/experiment';
import { canary, observer, uniform, type Candidate } from '@autoflow/experiment/testing';
import type { ArmBlock, ComparisonQuery, RolloutRow } from '@autoflow/store';
import { EMPTY_ARM_CELL, ROLLOUT_DEFAULTS } from '@autoflow/topology';
import { expect, it } from 'vitest';
import { evaluate } from './evaluate.js';

const BLOCKS = 40;
const cell = (block: number, costUsd: number) => ({
  ...{ ...EMPTY_ARM_CELL, records: 100, latencyMs: 1_000 + 10 * (block % 7), latencySquared: 1e7, charged: 100 },
  costUsd: costUsd * (1 + 0.05 * (block % 5)),
});
const blocks: readonly ArmBlock[] = Array.from(
  { length: BLOCKS },
  (_, i) => ({ at: i, ours: cell(i, 0.8), theirs: cell(i + 3, 1) }) as never,
);
const comparisons = { clock: async () => 1_000_000, blocks: async () => blocks } as never;
const asked = (steps: readonly number[], reached: number): RolloutRow =>
  ({
    ...{ id: 'ro-1', pipeline: 'orders', settings: { ...ROLLOUT_DEFAULTS, steps }, heldMs: 0 },
    steps: steps.slice(0, reached).map((percent) => ({ percent, from: 0, ...{ to: 500_000 } })),
  }) as never;
const asJudged = (found: readonly ArmBlock[], alpha: number) => {
  const pairs = found.map(({ ours, theirs }): Block => ({ candidate: ours, control: theirs }));
  return judge(pairs, 0.5, { ...GATE, alpha }, []).gain;
};

it.each([
  ['one step beside a control group', [50], 1, 1, 1],
  ['three, which are one sequence', [5, 25, 50], 2, 2, 1],
  ['and one of all traffic, which is another', [5, 25, 50, 100], 2, 2, 2],
  ['two of nearly all traffic, which are one each', [50, 80, 100], 1, 1, 3],
])('alpha is divided among the sequences that are looked at: %s', async (_, steps, reached, together, sequences) => {
  const { paired } = (await evaluate(asked(steps, reached), false, { comparisons })).judgement;
  const seen = Array.from({ length: together }, () => blocks).flat();
  expect(paired!.gain).toEqual(asJudged(seen, ROLLOUT_DEFAULTS.alpha / sequences));
  expect(paired!.gain!.low).toBeLessThan(asJudged(seen, 2 * ROLLOUT_DEFAULTS.alpha)!.low);
});

it('a step without a control group is judged alone against the holdout, by its share of alpha', async () => {
  const { paired, full } = (await evaluate(asked([50, 100], 2), false, { comparisons })).judgement;
  expect(paired!.gain).toEqual(asJudged(blocks, ROLLOUT_DEFAULTS.alpha / 2));
  expect(full!.gain).toEqual(asJudged(blocks, ROLLOUT_DEFAULTS.alpha / 2));
});

/** Batches of one record, of either arm in a block, by step. */
const ARRIVING = [100, 200, 400];
/** Of 20 records in a second by the usual steps, in blocks of five seconds, looked at once a minute. */
const USUAL = { arriving: [4.75, 23.75, 47.5], every: 12 };

/** A whole rollout by its steps; `undecided` after so many looks. */
async function rolledOut(seed: number, candidate: Candidate, looks: number, { arriving = ARRIVING, every = 1 } = {}) {
  const random = uniform(seed);
  const steps = [observer()];
  const worlds = arriving.map((batches) => canary({ batches, batchRecords: 1, random }, candidate));
  const seen = (step: number) =>
    steps[step]!.seen().map(({ candidate, control }, at): ArmBlock => ({ at, ours: candidate, theirs: control }));
  const comparisons = { clock: async () => 0, blocks: async ({ kept }: ComparisonQuery) => seen(kept!.step) } as never;
  for (let look = 1; ; look++) {
    for (let block = 0; block < every; block++) steps.at(-1)!.add(worlds[steps.length - 1]!.next().value);
    const row = asked([5, 25, 50], steps.length);
    const { decision, reason, judgement } = await evaluate(row, false, { comparisons });
    if (decision === 'advance') steps.push(observer());
    else if (decision !== 'continue' || look === looks)
      return { ended: decision === 'continue' ? 'undecided' : decision, reason, judgement, step: steps.length, look };
  }
}

it('of 200 rollouts that change nothing, with a look after every block of every step, at most 5 % are promoted, and the power is stated', async () => {
  const ends = await Promise.all(Array.from({ length: 200 }, (_, seed) => rolledOut(2_000 + seed, {}, 60)));
  const ending = (how: string) => ends.filter(({ ended }) => ended === how);
  expect(ending('promote').length).toBeLessThanOrEqual(10);
  expect(ending('roll-back').length).toBeLessThanOrEqual(10);
  const undecided = ending('undecided');
  expect(undecided.length).toBeGreaterThanOrEqual(180);
  // All have come to where it has to be shown, and say which gain they would have found.
  expect(undecided.filter(({ step }) => step < 3)).toEqual([]);
  const detectable = undecided.map(({ judgement }) => judgement.paired!.detectable!);
  expect(Math.max(...detectable)).toBeLessThan(0.25);
  const gains = await Promise.all(Array.from({ length: 10 }, (_, seed) => rolledOut(9_000 + seed, { cost: 0.6, latency: 0.7 }, 70)));
  expect(gains.map(({ ended }) => ended)).toEqual(Array<string>(10).fill('promote'));
});

it.each<[string, Candidate]>([
  ['loses one record in a hundred', { cost: 0.6, dead: 0.01 }],
  ['is slow in three batches of a hundred', { cost: 0.6, slowTail: 0.03 }],
])('by the usual settings no more than the first step is ever led to a candidate that %s, in five hours', async (_, candidate) => {
  const ends = await Promise.all(Array.from({ length: 20 }, (_, seed) => rolledOut(3_000 + seed, candidate, 300, USUAL)));
  expect(ends.filter(({ step }) => step > 1).length).toBeLessThanOrEqual(1);
  expect(ends.filter(({ ended }) => ended === 'promote')).toEqual([]);
  expect(ends.filter(({ ended }) => ended === 'roll-back').length).toBeGreaterThanOrEqual(15);
});

it('one that hurts nothing leaves the first step when that is bounded, within an hour and a half at 20 records in a second', async () => {
  const ends = await Promise.all(Array.from({ length: 10 }, (_, seed) => rolledOut(4_000 + seed, { cost: 0.6, latency: 0.7 }, 90, USUAL)));
  expect(ends.filter(({ step }) => step === 1)).toEqual([]);
});

it('what the first step waits for is said, and it has no more time for it than the canary has', async () => {
  const clock = (ms: number) => ({ comparisons: { clock: async () => ms, blocks: async () => blocks } as never });
  const row = asked([5, 50], 1);
  const early = await evaluate(row, false, clock(1_000_000));
  const missing = 'that at most twice as many records are late beyond p95 is not shown yet';
  expect(early).toMatchObject({ decision: 'continue', reason: expect.stringContaining(missing) });
  const late = await evaluate(row, false, clock(ROLLOUT_DEFAULTS.maximumMs + 1));
  expect(late.decision).toBe('abort');
  expect(late.reason).toContain(missing);
});
