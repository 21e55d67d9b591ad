/** What comes by COPY, where nobody waits for an answer. */
import { expect, it } from 'vitest';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import { drainLanding, tellStranded } from './landing.js';

const context = useTwoReleases();

it('waits for its pipeline, is told of meanwhile, and is taken in when the pipeline is there', async () => {
  const rows = `select 'postcards', json_build_object('id', n::text) from generate_series(1, 2) n`;
  await context.sql.query(`insert into autoflow.landing (pipeline, record) ${rows}`);
  const told: (object | undefined)[] = [];
  const look = async () => {
    await drainLanding({ store: context.store, versions: context.versions });
    await tellStranded({ store: context.store, log: (_level, _message, details) => told.push(details) });
  };
  await look();
  expect(told).toMatchObject([{ pipeline: 'postcards', records: 2, oldestAt: expect.any(Date) }]);
  expect(await context.store.inbox.waiting('postcards')).toMatchObject({ records: 0 });
  await context.register('postcards');
  await look();
  expect(told).toHaveLength(1);
  expect(await context.store.inbox.waiting('postcards')).toMatchObject({ records: 2 });
});

it('takes no more at a time than it has room for, and always the first', async () => {
  const { store, sql } = context;
  const record = `json_build_object('id', 'large-' || n, 'text', repeat('x', 100000))`;
  await sql.query(`insert into autoflow.landing (pipeline, record) select $1, ${record} from generate_series(1, 4) n`, [PIPELINE]);
  const taken: number[] = [];
  for (const bytes of [250_000, 1_000, 1_000_000, 1_000_000])
    taken.push(await store.feeder.drainLanding({ records: 500, bytes }, async () => ({ record: {}, problem: 'none is wanted' })));
  expect(taken).toEqual([2, 1, 1, 0]);
});

it('makes a dead letter of what JSON cannot carry, with what can be kept of it, and takes in what lies behind it', async () => {
  const { store, sql } = context;
  const endless = '{"id":"endless","junk":1e999}';
  const deep = `{"id":"deep","junk":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  const deeper = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  for (const record of [endless, deep, deeper, '{"id":"behind"}'])
    await sql.query('insert into autoflow.landing (pipeline, record) values ($1, $2)', [PIPELINE, record]);
  await drainLanding({ store, versions: context.versions });
  expect((await sql.query('select from autoflow.landing where pipeline = $1', [PIPELINE])).rowCount).toBe(0);
  expect(await store.inbox.position(PIPELINE, 'behind')).toMatchObject({ key: 'behind' });
  const letters = await store.deadLetters.list({ pipeline: PIPELINE, limit: 3 });
  expect(letters.map(({ key, keyless, record, message }) => [key, keyless, record, message]).reverse()).toEqual([
    ['endless', false, { id: 'endless' }, expect.stringContaining('/junk is Infinity')],
    ['deep', false, { id: 'deep' }, expect.stringContaining('nested deeper than 1000 levels')],
    [expect.stringMatching(/^landing-/), true, {}, 'the record is no JSON object'],
  ]);
});

it('keeps to the key of a record that is refused: redriven or corrected it is the same record, and a taken key is never shared', async () => {
  const { store, sql, versions } = context;
  const copied = async (...records: object[]) => {
    for (const record of records)
      await sql.query('insert into autoflow.landing (pipeline, record) values ($1, $2)', [PIPELINE, JSON.stringify(record)]);
    await drainLanding({ store, versions });
  };
  const newest = async (limit: number) =>
    (await store.deadLetters.list({ pipeline: PIPELINE, state: 'any', limit })).map(({ key, code, keyless, state }) => [
      key,
      code,
      keyless,
      state,
    ]);
  const keys = async () => (await store.inbox.list({ pipeline: PIPELINE, scope: 'live', limit: 100 })).map(({ key }) => key);
  await context.setStable('v2');
  await copied({ id: 'early' }, { id: 'wrong', town: 7 }, { id: 'landing-1' });
  expect(await newest(3)).toEqual([
    [expect.stringMatching(/^landing-/), 'INVALID_RECORD', true, 'open'],
    ['wrong', 'INVALID_RECORD', false, 'open'],
    ['early', 'INVALID_RECORD', false, 'open'],
  ]);
  expect(await store.ledger.record(PIPELINE, 'live', 'early')).toMatchObject({ state: 'dead', death: { code: 'INVALID_RECORD' } });
  expect(await keys()).not.toContain('early');

  await copied({ id: 'wrong', town: 'Ulm' });
  expect(await keys()).toContain('wrong');
  await copied({ id: 'wrong' });
  expect(await newest(1)).toEqual([[expect.stringMatching(/^landing-/), 'KEY_CONFLICT', true, 'open']]);

  await context.setStable('v1');
  await copied({ id: 'early' }, { id: 'early' });
  expect((await keys()).filter((key) => key === 'early' || key.startsWith('landing-'))).toEqual(['early']);
});
