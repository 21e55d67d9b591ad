import { describe, expect, test } from 'vitest';
import { createListener } from './listener.js';
import { useTestStore } from './testing/fixtures.js';

/** Hands out what was heard, in order, waiting for what has not come yet. */
function ear() {
  const heard: (string | undefined)[] = [];
  let wake = () => {};
  return {
    callback: (payload: string | undefined) => {
      heard.push(payload);
      wake();
    },
    async next(): Promise<string | undefined> {
      while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return heard.shift();
    },
  };
}

describe('listen', () => {
  const context = useTestStore();
  const tell = (channel: string, payload: string) => context.sql.query('select pg_notify($1, $2)', [channel, payload]);
  const kill = () =>
    context.sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'autoflow listener' and datname = current_database()`,
    );

  test('every callback of a channel hears what is told there, until it stops', async () => {
    const [one, two, other] = [ear(), ear(), ear()];
    const stop = await context.store.listen('autoflow_stable', one.callback);
    await context.store.listen('autoflow_stable', two.callback);
    await context.store.listen('autoflow_backfills', other.callback);
    await tell('autoflow_stable', 'a');
    expect([await one.next(), await two.next()]).toEqual(['a', 'a']);
    await stop();
    await tell('autoflow_stable', 'b');
    await tell('autoflow_backfills', 'c');
    expect([await two.next(), await other.next()]).toEqual(['b', 'c']);
    await tell('autoflow_stable', 'd');
    expect(await two.next()).toBe('d');
  });

  test('after a lost connection it calls back without payload and hears again', async () => {
    const { callback, next } = ear();
    await context.store.listen('autoflow_pools', callback);
    for (const payload of ['first', 'second']) {
      await kill();
      expect(await next()).toBeUndefined();
      await tell('autoflow_pools', payload);
      expect(await next()).toBe(payload);
    }
  });

  test('a callback that throws does not keep others from hearing', async () => {
    const { callback, next } = ear();
    const errors: unknown[] = [];
    const listener = createListener({
      connectionString: context.stack.databaseUrl,
      log: (level, _, details) => level === 'error' && errors.push(details),
    });
    await listener.listen('autoflow_pools', () => {
      throw new Error('mine');
    });
    await listener.listen('autoflow_pools', callback);
    await tell('autoflow_pools', 'x');
    expect(await next()).toBe('x');
    expect(errors).toEqual([{ error: 'mine' }]);
    await listener.close();
    await expect(listener.listen('autoflow_pools', callback)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  test('a database that cannot be reached is reported to who begins to listen', async () => {
    const listener = createListener({ connectionString: 'postgres://me:hunter2@127.0.0.1:1/x', log: () => {} });
    await expect(listener.listen('autoflow_pools', () => {})).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.not.stringContaining('hunter2'),
    });
    await listener.close();
  });
});
