import { beforeEach, expect, test } from 'vitest';
import { DeadLetter, DeadLetterGroups, DeadLetterPage, LettersSettled } from '@autoflow/client/schemas';
import type { Outcome } from '@autoflow/pipeline';
import { useApi } from '../testing/api.js';
import { RELEASE } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/dead-letters';
/** Of what the client sent: the input has a default of the release besides. */
const SENT = 'd'.repeat(64);
let batches = 0;

/** Kills records, as an execution would. */
async function kill(scope: string, keys: readonly string[], code = 'RATE_UNKNOWN', replace = false): Promise<void> {
  const id = `b${++batches}`;
  const inputs = keys.map((key, index) => ({
    index,
    key,
    arrivedAt: new Date().toISOString(),
    fields: { id: key, grams: 1, town: 'Ulm' },
  }));
  const ref = { ref: `file:${id}`, bytes: 1, counts: { records: keys.length, live: keys.length, filtered: 0, dying: 0 } };
  const batch = { id, pipeline: 'parcels', version: 'v1', release: RELEASE, scope, executionId: id, ref, memoryMb: {} };
  await api.store.ledger.open({ batch, records: inputs.map((input) => ({ ...input, digest: SENT })), replace });
  const outcomes = keys.map((key): Outcome => ({ state: 'dead', key, in: 'find-depot', code, message: 'no such town' }));
  await api.store.ledger.close({ batchId: id, outcomes, inputs: new Map(inputs.map(({ key, fields }) => [key, fields])) });
}
const post = (path: string, body: object) => api.send('POST', `${PATH}${path}`, { body });
const idOf = async (scope: string, key: string) =>
  (await api.viewer.deadLetters.list('parcels', { scope, state: 'any' })).items.find((letter) => letter.key === key)!.id;

let scope: string;
beforeEach(() => void (scope = `s${++batches}`));

test('letters are listed, filtered and grouped', async () => {
  await kill(scope, ['a', 'b']);
  await kill(scope, ['c'], 'TIMEOUT');
  const list = async (query: string) =>
    DeadLetterPage.parse((await api.send('GET', `${PATH}?scope=${scope}&${query}`)).json).items.map(({ key }) => key);
  expect(await list('')).toEqual(['c', 'b', 'a']);
  expect(await list('code=TIMEOUT&stage=find-depot&version=v1&since=1h')).toEqual(['c']);
  expect([await list(`release=${'b'.repeat(64)}`), await list('since=2099-01-01T00:00:00Z'), await list('state=discarded')]).toEqual([
    [],
    [],
    [],
  ]);
  const groups = DeadLetterGroups.parse((await api.send('GET', `${PATH}/groups?scope=${scope}`)).json);
  expect(groups.items.map(({ code, in: place, count }) => [code, place, count])).toEqual([
    ['RATE_UNKNOWN', 'find-depot', 2],
    ['TIMEOUT', 'find-depot', 1],
  ]);
});

test('one is redriven: its record waits in the inbox, once, and its history stays', async () => {
  await kill(scope, ['a', 'b']);
  const id = await idOf(scope, 'a');
  const redriven = await post(`/${id}:redrive`, { reason: 'fixed' });
  expect(DeadLetter.parse(redriven.json)).toMatchObject({
    state: 'redriven',
    fate: { actor: 'admin', reason: 'fixed' },
    record: { town: 'Ulm' },
  });
  const waiting = await api.store.inbox.position('parcels', 'a', scope);
  expect([waiting?.key, waiting?.version]).toEqual(['a', undefined]);
  const sent = { key: 'a', record: { id: 'a' }, digest: SENT, bytes: 1 };
  expect(await api.store.inbox.accept({ pipeline: 'parcels', scope, records: [sent] })).toEqual([{ state: 'known', as: 'waiting' }]);
  expect((await post(`/${id}:redrive`, { reason: 'again' })).json.fate.reason).toBe('fixed');
  expect((await post(`/${id}:discard`, { reason: 'no' })).problem.code).toBe('DEAD_LETTER_SETTLED');
  await post(`/${await idOf(scope, 'b')}:redrive`, { to: 'original', reason: 'as it was' });
  expect(await api.store.inbox.position('parcels', 'b', scope)).toMatchObject({ version: 'v1' });

  await kill(scope, ['a'], 'STILL_UNKNOWN', true);
  const newest = await api.send('GET', `${PATH}/${await idOf(scope, 'a')}`);
  expect(DeadLetter.parse(newest.json).history.map(({ code, state }) => [code, state])).toEqual([
    ['RATE_UNKNOWN', 'redriven'],
    ['STILL_UNKNOWN', 'open'],
  ]);
});

test('many are redriven in portions, with counts, and never twice', async () => {
  await kill(scope, ['a', 'b', 'c', 'd', 'e']);
  await kill(scope, ['x'], 'TIMEOUT');
  const body = { scope, code: 'RATE_UNKNOWN', limit: 2, reason: 'fixed' };
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(LettersSettled.parse((await post(':redrive', body)).json));
  expect(answers).toEqual([
    { matched: 5, done: 2, skipped: 0, remaining: 3 },
    { matched: 3, done: 2, skipped: 0, remaining: 1 },
    { matched: 1, done: 1, skipped: 0, remaining: 0 },
    { matched: 0, done: 0, skipped: 0, remaining: 0 },
  ]);
  expect((await api.store.inbox.list({ pipeline: 'parcels', scope, limit: 10 })).map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect((await api.viewer.deadLetters.list('parcels', { scope })).items.map(({ key }) => key)).toEqual(['x']);
});

test('two who redrive the same at once redrive it once', async () => {
  await kill(scope, ['a', 'b', 'c']);
  const answers = await Promise.all([1, 2].map(() => api.operator.deadLetters.redriveMany('parcels', { scope, reason: 'race' })));
  expect(answers.reduce((sum, { done }) => sum + done, 0)).toBe(3);
  expect(await api.store.inbox.list({ pipeline: 'parcels', scope, limit: 10 })).toHaveLength(3);
});

test('discarded letters stay, with the reason', async () => {
  await kill(scope, ['a', 'b', 'c']);
  expect(await api.operator.deadLetters.discard('parcels', await idOf(scope, 'a'), 'a test')).toMatchObject({
    state: 'discarded',
    fate: { actor: 'operator', reason: 'a test' },
  });
  expect(await api.operator.deadLetters.discardMany('parcels', { scope, reason: 'old' })).toEqual({
    matched: 2,
    done: 2,
    skipped: 0,
    remaining: 0,
  });
  expect((await api.viewer.deadLetters.list('parcels', { scope, state: 'discarded' })).items.map(({ fate }) => fate?.reason)).toEqual([
    'old',
    'old',
    'a test',
  ]);
  expect(await api.store.inbox.list({ pipeline: 'parcels', scope, limit: 10 })).toEqual([]);
});

test('a record that was run again since is let be', async () => {
  await kill(scope, ['a']);
  const id = await idOf(scope, 'a');
  await kill(scope, ['a'], 'OTHER', true);
  expect((await post(`/${id}:redrive`, { reason: 'x' })).problem).toMatchObject({
    status: 409,
    code: 'DEAD_LETTER_SETTLED',
    detail: expect.stringContaining('run again'),
  });
});

test.each([
  ['no reason', '/1:redrive', {}, ['/reason']],
  ['an unknown target', '/1:redrive', { to: 'v1', reason: 'x' }, ['/to']],
  ['a limit out of range', ':redrive', { limit: 1001, reason: 'x' }, ['/limit']],
  ['an unknown filter', ':discard', { to: 'latest', reason: 'x' }, ['/to']],
])('%s is refused', async (_, path, body, pointers) => {
  const { status, problem } = await post(path, body);
  expect([status, problem.errors?.map(({ pointer }) => pointer)]).toEqual([422, pointers]);
});

test('letters and pipelines that are not there are not found', async () => {
  for (const id of ['999999', 'x', '1e3', '9'.repeat(30)])
    expect((await post(`/${id}:redrive`, { reason: 'x' })).problem.code).toBe('DEAD_LETTER_UNKNOWN');
  expect((await api.send('POST', '/v1/pipelines/nothing/dead-letters:redrive', { body: { reason: 'x' } })).problem.code).toBe(
    'PIPELINE_UNKNOWN',
  );
});
