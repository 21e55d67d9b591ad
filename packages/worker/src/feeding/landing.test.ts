/** What comes by COPY, where nobody waits for an answer. */
import { expect, it } from 'vitest';
import { useTwoReleases } from '../testing/two-releases.js';
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
