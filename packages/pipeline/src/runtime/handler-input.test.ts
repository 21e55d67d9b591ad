/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import { describe, expect, test, vi } from 'vitest';
import { defineResource } from '../index.js';
import { In, options, reads, single, state, states } from '../testing/single-function.js';
import { runNodes } from './index.js';

describe('what a handler is given', () => {
  test('only its declared fields, frozen to their depth', async () => {
    const seen = vi.fn(() => ({ m: 1 }));
    const pipeline = single({ reads: In.pick({ n: true, deep: true }), handle: seen });
    await runNodes(pipeline, ['f'], [state(3, { secret: 'x' })], options());
    const [record] = seen.mock.calls[0] as unknown as [{ deep: { list: number[] } }];
    expect(record).toEqual({ n: 3, deep: { list: [1, 2] } });
    expect([record, record.deep, record.deep.list].every(Object.isFrozen)).toBe(true);
  });

  test('handle: arrival as now, one key when it writes; handleBatch: nows and keys by position', async () => {
    const one = vi.fn((_: unknown, { now, keys, log, signal }: any) => ({ m: [now, keys, typeof log, signal.aborted].length }));
    await runNodes(single({ effect: 'write', handle: one }), ['f'], states(2), options());
    expect(one.mock.calls.map(([, { now, keys }]) => [now, keys])).toEqual([
      ['2026-01-01T00:00:00.000Z', ['p/live/k0/f']],
      ['2026-01-02T00:00:00.000Z', ['p/live/k1/f']],
    ]);
    const all = vi.fn((records: unknown[], _: any) => records.map(() => ({ m: 0 })));
    await runNodes(single({ effect: 'idempotent-write', handle: undefined, handleBatch: all }), ['f'], states(2), options());
    const [records, { nows, keys, now }] = all.mock.calls[0] as [unknown[], any];
    expect(records).toEqual([{ n: 0 }, { n: 1 }]);
    expect(nows).toEqual(['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']);
    expect(keys).toEqual(['p/live/k0/f', 'p/live/k1/f']);
    expect(now).toBeUndefined();
  });

  test('a pure function gets neither keys nor resources', async () => {
    const contexts: object[] = [];
    await runNodes(
      reads((_, context) => (contexts.push(Object.keys(context)), { m: 1 })),
      ['f'],
      [state(0)],
      options(),
    );
    expect(contexts).toEqual([['signal', 'log', 'now']]);
  });

  test('resources by the name it uses them under; one that does not open is tried again', async () => {
    const db = defineResource({ name: 'database', open: () => ({ add: (n: number) => n + 1 }) });
    const pipeline = single({ effect: 'read', uses: { db }, handle: ({ n }: { n: number }, { db }: any) => ({ m: db.add(n) }) });
    const opened = await runNodes(
      pipeline,
      ['f'],
      [state(1)],
      options({ resource: async (name) => ({ add: (n: number) => `${name} ${n}`.length }) }),
    );
    expect(opened.done[0]?.fields['m']).toBe(10);
    const closed = await runNodes(
      pipeline,
      ['f'],
      [state(1)],
      options({ resource: () => Promise.reject(Object.assign(new Error('postgres://me:pw@db/x refused'), { code: 'ECONNREFUSED' })) }),
    );
    expect(closed.retry[0]?.retry).toEqual({ at: 'f', attempts: 1, code: 'ECONNREFUSED', message: 'postgres://…@db/x refused' });
  });

  test('its log lines say which node and record they are of', async () => {
    const log = vi.fn();
    await runNodes(
      reads((_, context) => (context.log('hm', { a: 1 }), { m: 1 })),
      ['f'],
      [state(0)],
      options({ log }),
    );
    expect(log).toHaveBeenCalledWith({ node: 'f', key: 'k0', message: 'hm', details: { a: 1 } });
  });
});
