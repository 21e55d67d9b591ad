import { beforeAll, describe, expect, test } from 'vitest';
import type { BackfillRow } from './backfills.model.js';
import { by, registerPipeline, useTestStore } from './testing/fixtures.js';

describe('backfills', () => {
  const context = useTestStore();
  const backfills = () => context.store.backfills;
  beforeAll(() => registerPipeline(context.store, 'orders'));
  const create = (id: string, more: Partial<BackfillRow> = {}) =>
    backfills().create(
      { id, pipeline: 'orders', scope: id, source: { kind: 'csv', path: 'a.csv', groupBy: 'id' }, concurrency: 2, ...more },
      by,
    );

  test('is made running, at the beginning of its source', async () => {
    const row = await create('b1', { version: 'v1', limit: 10, batchRecords: 5 });
    expect(row).toEqual({
      id: 'b1',
      pipeline: 'orders',
      scope: 'b1',
      version: 'v1',
      source: { kind: 'csv', path: 'a.csv', groupBy: 'id' },
      limit: 10,
      concurrency: 2,
      batchRecords: 5,
      maxShare: 0.5,
      skipKnown: false,
      skipped: 0,
      state: 'running',
      cursor: 0,
      progress: { read: 0, settled: 0, counts: { completed: 0, filtered: 0, dead: 0, cancelled: 0 } },
      createdAt: expect.any(Date),
    });
    expect(await backfills().get('b1')).toEqual(row);
    await backfills().setTotal('b1', 7);
    expect((await backfills().get('b1'))?.progress.total).toBe(7);
  });

  test('pauses, goes on, ends for good', async () => {
    await create('b2');
    expect(await backfills().setState('b2', 'paused', by)).toMatchObject({ state: 'paused' });
    expect(await backfills().setState('b2', 'running', by)).toMatchObject({ state: 'running' });
    const ended = await backfills().setState('b2', 'failed', { ...by, reason: 'no such file' });
    expect(ended).toMatchObject({ state: 'failed', reason: 'no such file', endedAt: expect.any(Date) });
    expect(await backfills().setState('b2', 'failed', by)).toEqual(ended);
    await expect(backfills().setState('b2', 'running', by)).rejects.toMatchObject({ code: 'NOT_RUNNING', state: 'failed' });
  });

  test('lists the newest first', async () => {
    await create('b3');
    await create('b4');
    expect((await backfills().list('orders', 2)).map(({ id }) => id)).toEqual(['b4', 'b3']);
    expect(await backfills().list('nowhere', 2)).toEqual([]);
  });

  test('tells which are running', async () => {
    await create('b5');
    await create('b5-paused');
    await backfills().setState('b5-paused', 'paused', by);
    const running = (await backfills().running()).map(({ id }) => id);
    expect(running).toContain('b5');
    expect(running).not.toContain('b5-paused');
    expect(running).not.toContain('b2');
  });

  test('refuses an id that is taken, a pipeline and a backfill that are not there', async () => {
    await create('b6');
    await expect(create('b6')).rejects.toMatchObject({ code: 'ALREADY_EXISTS', retryable: false });
    await expect(create('b7', { pipeline: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND', details: { kind: 'pipeline' } });
    await expect(backfills().setState('b9', 'paused', by)).rejects.toMatchObject({ code: 'NOT_FOUND', details: { kind: 'backfill' } });
    await expect(backfills().setTotal('b9', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await backfills().get('b9')).toBeUndefined();
  });
});
