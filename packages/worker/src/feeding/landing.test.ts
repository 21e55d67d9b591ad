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
  expect(letters.map(({ record, message }) => [record, message]).reverse()).toEqual([
    [{ id: 'endless' }, expect.stringContaining('/junk is Infinity')],
    [{ id: 'deep' }, expect.stringContaining('nested deeper than 1000 levels')],
    [{}, 'the record is no JSON object'],
  ]);
});
