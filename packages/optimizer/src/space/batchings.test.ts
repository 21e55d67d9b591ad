import { asWritten } from '@autoflow/topology';
import { expect, test } from 'vitest';
import { pipelineOf } from '../testing/problems.js';
import { batchingsFor } from './batchings.js';

const written = asWritten(pipelineOf(2));
const said = (...asked: Parameters<typeof batchingsFor> extends [unknown, ...infer Rest] ? Rest : never): string[] =>
  batchingsFor(written, ...asked).map(({ records, lingerMs }) => `${records}/${lingerMs}`);

test('every size comes with the least linger that fills it, and the next larger one with the longest', () => {
  expect(said({ ratePerSecond: 100 }, { minimise: 'cost', p95Ms: 2_000 })).toEqual([
    '1/0',
    '2/10',
    '5/50',
    '10/100',
    '20/200',
    '50/500',
    '100/1000',
    '200/1000',
    // A quarter of the limit left for the work.
    '200/1500',
  ]);
  // Of 20 records 16 come within a second: a fifth more than in batches of 10.
  expect(said({ ratePerSecond: 15.6 }, { minimise: 'cost', p95Ms: 2_170, p99Ms: 2_000 })).toEqual([
    '1/0',
    '2/100',
    '5/300',
    '10/700',
    '20/1000',
    '20/1500',
    '50/1500',
  ]);
});

test('where nothing fills the smallest still lingers, and a limit that allows no linger allows no batch', () => {
  expect(said({ ratePerSecond: 0.1 }, { minimise: 'cost', p95Ms: 2_000 })).toEqual(['1/0', '2/1000', '2/1500']);
  expect(said({ ratePerSecond: 100 }, { minimise: 'cost', p95Ms: 6 })).toEqual(['1/0']);
});

test('in an arm of a rollout nothing lingers longer than its guardrail lets it', () => {
  expect(said({ ratePerSecond: 100 }, { minimise: 'cost', p95Ms: 2_000 }, 250)).toEqual([
    ...['1/0', '2/10', '5/50', '10/100', '20/100', '50/100', '100/100', '200/100'],
  ]);
  expect(said({ ratePerSecond: 100 }, { minimise: 'cost', p95Ms: 2_000 }, 8)).toEqual(['1/0']);
});

test('a rate beyond all sizes has no next larger one', () => {
  expect(said({ ratePerSecond: 10_000 }, { minimise: 'cost' }).at(-1)).toBe('500/50');
});

test('in bursts sizes are offered that only a burst fills, and lingers are for what records see', () => {
  // Ten records a second, half of them in a tenth of the time at 50/s: a record sees 27.8/s.
  const shape = [
    { durationMs: 1_000, multiple: 5 },
    { durationMs: 9_000, multiple: 5 / 9 },
  ];
  expect(said({ ratePerSecond: 10, shape }, { minimise: 'cost', p95Ms: 2_000 })).toEqual([
    ...['1/0', '2/50', '5/200', '10/500', '20/700', '50/1000', '100/1000', '50/1500', '100/1500'],
  ]);
});
