import { EMPTY_ARM_CELL, type ArmCell } from '@autoflow/topology';
import { expect, it } from 'vitest';
import { savedIn, savedTogether, stretches } from './ledger.js';
import { normal, uniform } from './testing/canaries.js';

const DAY_MS = 86_400_000;
const at = (days: number): Date => new Date(days * DAY_MS);
const promoted = { state: 'promoted', version: 'v2', baseline: 'v1', endedAt: at(100.5) };
const set = (days: number, before: string, after: string) => ({ at: at(days), before: { version: before }, after: { version: after } });

it('a version saves from its promotion to the next move of the pointer, day by day', () => {
  const found = stretches(
    [promoted, { ...promoted, state: 'rolled-back' }],
    [set(100.4, 'v1', 'v2'), set(101.25, 'v2', 'v3')],
    0,
    103 * DAY_MS,
  );
  expect(found).toEqual([
    { version: 'v2', against: 'v1', from: 100.5 * DAY_MS, to: 101 * DAY_MS },
    { version: 'v2', against: 'v1', from: 101 * DAY_MS, to: 101.25 * DAY_MS },
  ]);
});

it('a pointer that is set to where it is, to end a canary, moves nothing', () => {
  const all = stretches([promoted], [], 0, 102 * DAY_MS);
  expect(stretches([promoted], [set(101.25, 'v2', 'v2')], 0, 102 * DAY_MS)).toEqual(all);
});

const cell = (charged: number, costUsd: number): ArmCell => ({ ...EMPTY_ARM_CELL, records: charged, charged, costUsd });
/** Of a slice and the holdout, ten records each in a block: a record costs about one, and saves so much. */
const slices = (random: () => number, saves: number, blocks = 24) =>
  Array.from({ length: blocks }, () => ({ ours: cell(10, 10 * (1 - saves) + normal(random)), theirs: cell(10, 10 + normal(random)) }));

it('each record that a version ran counts with what one of the slice saved', () => {
  const blocks = slices(uniform(1), 0.4);
  const [one, all] = [savedIn(blocks, 240), savedIn(blocks, 4_800)];
  expect(one.savedUsd!.estimate).toBeCloseTo(0.4 * 240, -1);
  expect([all.records, all.savedUsd!.estimate, all.savedUsd!.low]).toEqual([
    4_800,
    expect.closeTo(20 * one.savedUsd!.estimate, 6),
    expect.closeTo(20 * one.savedUsd!.low, 6),
  ]);
  expect(
    savedIn(
      blocks.map(({ theirs }) => ({ ours: EMPTY_ARM_CELL, theirs })),
      4_800,
    ),
  ).not.toHaveProperty('savedUsd');
});

it('what ten days saved together is within the interval of 38 of 40 sums at least, and known better than as many intervals added up', () => {
  const months = Array.from({ length: 40 }, (_, seed) => {
    const random = uniform(seed);
    return Array.from({ length: 10 }, (_day, day) => savedIn(slices(random, 0.1), 1_000 * (1 + day)));
  });
  const truth = 0.1 * 1_000 * 55;
  const sums = months.map(savedTogether);
  expect(sums.filter(({ low, high }) => low <= truth && truth <= high).length).toBeGreaterThanOrEqual(38);
  const added = months.map((days) => days.reduce((sum, { savedUsd }) => sum + (savedUsd!.high - savedUsd!.low), 0));
  expect(Math.max(...sums.map(({ low, high }, at) => (high - low) / added[at]!))).toBeLessThan(0.5);
});

it('days of which too little is known are not in the sum', () => {
  const known = { estimate: 5, low: 3, high: 7 };
  expect(savedTogether([{ savedUsd: known }, {}, { savedUsd: { estimate: 9, low: -Infinity, high: Infinity } }])).toEqual(known);
  expect(savedTogether([])).toEqual({ estimate: 0, low: 0, high: 0 });
});
