import type { Outcome, PipelineSpec } from '@autoflow/pipeline';
import type { RecordedCall, RecordedOutcome } from '@autoflow/store';
import { expect, it } from 'vitest';
import { compare } from './compare.js';

const spec = {
  nodes: [
    { id: 'price', effect: 'pure' },
    { id: 'rate', effect: 'read' },
    { id: 'book', effect: 'idempotent-write' },
  ],
} as unknown as PipelineSpec;
type Calls = { [node: string]: RecordedCall[] };
const fields = (cents: number): RecordedCall[] => [{ input: {}, answer: { fields: { cents } } }];
const failure = (code: string): RecordedCall[] => [{ input: {}, answer: { failure: { terminal: true, code, message: 'secret' } } }];
const write = (...digests: string[]): RecordedCall[] => digests.map((digest) => ({ digest, answer: { fields: {} } }));
const was = (outcome: Partial<RecordedOutcome['outcome']> = {}) => ({
  outcome: { state: 'completed', output: { cents: 1 }, ...outcome } as const,
});
const completed: Outcome = { state: 'completed', key: 'k', output: { cents: 1 } };
const dead = (code: string): Outcome => ({ state: 'dead', key: 'k', in: 'rate', code, message: 'secret' });
const filtered: Outcome = { state: 'filtered', key: 'k', by: 'f', reason: 'r' };

it.each<[string, Calls, ReturnType<typeof was>, Calls, Outcome, object]>([
  ['equal', { price: fields(1) }, was(), { price: fields(1) }, completed, { kind: 'equal' }],
  ['a function that one of them has not', { gone: fields(1) }, was(), { added: fields(1) }, completed, { kind: 'equal' }],
  [
    'another value',
    { price: fields(1) },
    was(),
    { price: fields(2) },
    completed,
    { function: 'price', field: 'cents', what: 'answers another value' },
  ],
  ['a failure', { price: fields(1) }, was(), { price: failure('ODD') }, dead('ODD'), { function: 'price', what: 'fails (ODD), answered' }],
  [
    'other calls',
    { price: fields(1) },
    was(),
    { price: [...fields(1), ...fields(1)] },
    completed,
    { what: 'is asked 2 times, was asked 1 times' },
  ],
  ['another output', {}, was(), {}, { ...completed, output: { cents: 2 } }, { field: 'cents', what: 'its output has another value' }],
  ['another state', {}, was(), {}, filtered, { what: 'is filtered, was completed' }],
  ['another code', {}, was({ state: 'dead', reason: 'A' }), {}, dead('B'), { what: 'is dead (B), was dead (A)' }],
  ['the same code elsewhere', {}, was({ state: 'dead', by: 'stage', reason: 'A' }), {}, dead('A'), { kind: 'equal' }],
  ['another filter', {}, was({ state: 'filtered', by: 'g', reason: 'r' }), {}, filtered, { what: "is filtered by 'f', was by 'g'" }],
  [
    'other arguments',
    { book: write('a') },
    was(),
    { book: write('b') },
    completed,
    { function: 'book', what: 'writes with other arguments' },
  ],
  ['one write more', { book: write('a') }, was(), { book: write('a', 'a') }, completed, { what: 'writes 2 times, wrote 1 times' }],
  ['no write', { book: write('a') }, was(), {}, completed, { what: 'does not write, but did' }],
  [
    'a write of what was filtered',
    {},
    was({ state: 'filtered', by: 'f', reason: 'r' }),
    { book: write('a') },
    dead('NOT_RECORDED'),
    { what: 'writes, though the record was filtered' },
  ],
  [
    'a read that was not recorded',
    { rate: [{ answer: { fields: {} } }] },
    was(),
    { rate: failure('NOT_RECORDED') },
    dead('NOT_RECORDED'),
    { kind: 'not-comparable', function: 'rate' },
  ],
  [
    'a read with other arguments',
    { rate: fields(1) },
    was(),
    { rate: [{ ...failure('NOT_RECORDED')[0]!, input: { currency: 'other' } }] },
    dead('NOT_RECORDED'),
    { function: 'rate', what: 'is asked with other arguments' },
  ],
  [
    'filtered all the same',
    {},
    was({ state: 'filtered', by: 'f', reason: 'r' }),
    { rate: failure('NOT_RECORDED') },
    filtered,
    { kind: 'equal' },
  ],
  [
    'what differs before that',
    { price: fields(1) },
    was(),
    { price: fields(2), rate: failure('NOT_RECORDED') },
    dead('NOT_RECORDED'),
    { function: 'price' },
  ],
])('%s', (_, recorded, outcome, calls, replayed, expected) => {
  const found = compare(spec, outcome, recorded, { outcome: replayed, calls });
  expect('kind' in expected ? found : found.kind === 'different' && found.difference).toMatchObject(expected);
  expect(JSON.stringify(found)).not.toContain('secret');
});
