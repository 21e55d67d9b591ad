import { expect, it } from 'vitest';
import { useTestStore } from './testing/fixtures.js';

const shared = useTestStore();

it('are told in order of time, those of the mark and the window only', async () => {
  const { store, sql } = shared;
  const start = Date.UTC(2026, 0, 1);
  const at = (ms: number): Date => new Date(start + ms);
  const rows = [
    ['a~run.1', 'live', 'completed', at(0)],
    ['b~run.2', 'live', 'dead', at(7_500)],
    ['c~run.3', 'live', 'filtered', at(2_000)],
    ['d~run.4', 'live', 'running', null],
    ['e~run.5', 'live', 'completed', at(10_000)],
    ['f~other.1', 'live', 'completed', at(3_000)],
    ['g~run.1', 'backfill', 'completed', at(3_000)],
  ];
  for (const row of rows)
    await sql.query(
      `insert into autoflow.records (pipeline, key, scope, state, ended_at, batch_id, version, release, arrived_at)
       values ('p', $1, $2, $3, $4, 'b', 'v1', 'r', now())`,
      row,
    );
  const query = { pipeline: 'p', scope: 'live', mark: '~run.', from: start, to: start + 10_000 };
  const found = [];
  for await (const row of store.ended.read(query)) found.push(row);
  expect(found).toEqual([
    { key: 'a~run.1', state: 'completed', endedAt: start },
    { key: 'c~run.3', state: 'filtered', endedAt: start + 2_000 },
    { key: 'b~run.2', state: 'dead', endedAt: start + 7_500 },
  ]);
  expect(await store.ended.count(query)).toBe(3);
  const before = Date.now();
  expect(await store.ended.clock()).toBeGreaterThan(before - 60_000);
});
