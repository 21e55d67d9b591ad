import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineFunction, definePipeline, specOf, type Json } from '@autoflow/pipeline';
import type { SourceRecord } from '../sources/index.js';
import { cutPortion, intakeOf, PeekableRecords } from './portions.js';

const stamp = defineFunction('stamp', {
  effect: 'pure',
  reads: z.object({ id: z.string() }),
  writes: z.object({ stamped: z.boolean() }),
  handle: () => ({ stamped: true }),
});
const SPEC = specOf(
  definePipeline(
    'letters',
    { input: z.object({ id: z.string(), junk: z.unknown() }), key: 'id', output: z.object({ id: z.string() }) },
    (letter) => stamp(letter),
  ),
);
const BOUNDS = { records: 100, bytes: 1024 * 1024 };

const sourceOf = (records: readonly SourceRecord[]) =>
  new PeekableRecords(
    (async function* () {
      yield* records;
    })(),
  );
const nested = (levels: number): Json => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as Json;

it('refuses a record that nests deeper than it could be written again, under its key', async () => {
  const depths = [10, 400, 2_000, 5_000, 100_000];
  const records = depths.map((depth) => ({ fields: { id: `deep-${depth}`, junk: nested(depth) }, where: `line ${depth}` }));
  const cut = await cutPortion(sourceOf(records), BOUNDS);
  const intake = intakeOf(cut, SPEC, 'b');
  expect(intake.map(({ key, problem }) => [key, problem])).toEqual([
    ['deep-10', undefined],
    ['deep-400', undefined],
    ['deep-2000', 'line 2000: it nests deeper than 500 levels'],
    ['deep-5000', 'line 5000: it nests deeper than 500 levels'],
    ['deep-100000', 'line 100000: it nests deeper than 500 levels'],
  ]);
  expect(intake[4]?.record).toEqual({ id: 'deep-100000' });
});

it('names a record without a key after backfill and place: each backfill of a scope has its own', () => {
  const keys = ['one', 'two'].map((backfill) => intakeOf([{ fields: {}, where: 'line 3' }], SPEC, backfill)[0]?.key);
  expect(keys).toEqual(['one line 3', 'two line 3']);
});
