import { GATE, judge, type Block } from '@autoflow/experiment';
import type { ArmBlock, RolloutRow } from '@autoflow/store';
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
