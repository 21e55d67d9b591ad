import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineFunction, definePipeline, specOf, type Fields, type Json } from '@autoflow/pipeline';
import type { SourceRecord } from '../sources/index.js';
import { cutPortion, intakeOf, PeekableRecords } from './portions.js';
import { writable } from './writable.js';

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

it('refuses what JSON cannot carry, under its key, and keeps the rest of it', async () => {
  const deep = [10, 400, 2_000, 5_000, 100_000].map((depth) => ({
    fields: { id: `deep-${depth}`, junk: nested(depth) },
    where: `${depth} levels`,
  }));
  const endless = { fields: JSON.parse('{"id":"endless","junk":[1e999]}') as Fields, where: 'line 6' };
  const intake = intakeOf(await cutPortion(sourceOf([...deep, endless]), BOUNDS), SPEC, 'b');
  const tooDeep = expect.stringContaining('nested deeper than 1000 levels');
  expect(intake.map(({ key, problem }) => [key, problem])).toEqual([
    ['deep-10', undefined],
    ['deep-400', undefined],
    ['deep-2000', tooDeep],
    ['deep-5000', tooDeep],
    ['deep-100000', tooDeep],
    ['endless', expect.stringContaining('line 6: /junk/0 is Infinity')],
  ]);
  expect(intake.slice(4).map(({ record }) => record)).toEqual([{ id: 'deep-100000' }, { id: 'endless' }]);
});

it('names a record without a key after backfill and place: each backfill of a scope has its own', () => {
  const keys = ['one', 'two'].map((backfill) => intakeOf([{ ...writable({}), where: 'line 3' }], SPEC, backfill)[0]?.key);
  expect(keys).toEqual(['one line 3', 'two line 3']);
});
