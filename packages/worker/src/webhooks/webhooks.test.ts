import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import pg from 'pg';
import { startWebhooks } from './deliver.js';
import { isPrivate, PrivateAddressError, publicLookup } from './private-addresses.js';
import { send } from './send.js';

const BY = { actor: 'tester', reason: 'because' };
const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;
const stack = useTestStack();
const log = () => undefined;
let store: Store;
let sql: pg.Client;
let closings: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
});
afterEach(async () => {
  for (const close of closings.toReversed()) await close();
  closings = [];
  for (const { id } of await store.webhooks.list()) await store.webhooks.remove(id, BY);
});
afterAll(async () => {
  await sql.end();
  await store.close();
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: { readonly id: string; readonly type: string; readonly data: { readonly n?: number } };
}
/** A receiver that answers `status(n)` to the nth request, or never where that is undefined. */
async function receiver(
  status: (n: number) => number | undefined = () => 204,
): Promise<{ url: string; got: Received[]; until(n: number): Promise<void> }> {
  const got: Received[] = [];
  let wake = () => {};
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      got.push({ headers: request.headers, body, event: JSON.parse(body) });
      const code = status(got.length);
      if (code !== undefined) response.writeHead(code, { location: 'http://127.0.0.1:1/' }).end();
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const until = async (n: number) => {
    while (got.length < n) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got, until };
}
const deliver = (options = {}) => {
  const running = startWebhooks({ store, log }, { allowPrivate: true, firstRetryMs: 10, timeoutMs: 300, ...options });
  closings.push(() => running.close());
};
const hook = (id: string, url: string, types?: string[]) => store.webhooks.create({ id, url, secret: SECRET, ...(types && { types }) }, BY);
const tell = async (type: string, count: number) => {
  for (let n = 0; n < count; n++) await store.events.append({ type, data: { n } });
};
const numbers = (got: readonly Received[]) => got.map(({ event }) => event.data.n);

/** Asks until the webhook is as wanted. */
async function untilWebhook(id: string, isSo: (webhook: NonNullable<Awaited<ReturnType<Store['webhooks']['get']>>>) => boolean) {
  for (;;) {
    const webhook = (await store.webhooks.get(id))!;
    if (isSo(webhook)) return webhook;
    await new Promise(setImmediate);
  }
}

/** Asks until it has gone by all events. */
async function untilPassed(id: string): Promise<void> {
  const behind = `select from autoflow.webhooks w where id = $1 and exists (select from autoflow.events e where (e.tx, e.id) > (w.cursor_tx, w.cursor_id))`;
  while ((await sql.query(behind, [id])).rowCount !== 0) await new Promise(setImmediate);
}

test('what is wanted arrives in order, signed as Standard Webhooks says', async () => {
  const { url, got, until } = await receiver();
  await hook('w', url, ['test.wanted']);
  await tell('test.other', 1);
  await tell('test.wanted', 3);
  deliver();
  await until(3);
  expect(numbers(got)).toEqual([0, 1, 2]);
  const [{ headers, body, event }] = got as [Received];
  expect(headers['webhook-id']).toBe(event.id);
  const signed = `${event.id}.${String(headers['webhook-timestamp'])}.${body}`;
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(300);
  expect((await untilWebhook('w', ({ delivered }) => delivered === 3)).lastError).toBeUndefined();
});

test('one that never answers and one that answers 500 for ever hold no other one up', async () => {
  const [mute, broken, good] = [await receiver(() => undefined), await receiver(() => 500), await receiver()];
  await hook('mute', mute.url, ['test.crowd']);
  await hook('broken', broken.url, ['test.crowd']);
  await hook('good', good.url, ['test.crowd']);
  await tell('test.crowd', 120);
  deliver();
  await good.until(120);
  expect(numbers(good.got)).toEqual(Array.from({ length: 120 }, (_, n) => n));
  expect((await untilWebhook('mute', ({ attempts }) => attempts > 0)).lastError).toBe('no answer within 300 ms');
  expect((await untilWebhook('broken', ({ attempts }) => attempts > 1)).lastError).toBe('answered 500');
  expect(new Set(numbers(broken.got))).toEqual(new Set([0]));
});

test('what was not taken is sent again with the same id, then the rest', async () => {
  const { url, got, until } = await receiver((n) => (n <= 2 ? 503 : n === 4 ? 302 : 200));
  await hook('w', url, ['test.again']);
  await tell('test.again', 3);
  deliver();
  await until(6);
  expect(numbers(got)).toEqual([0, 0, 0, 1, 1, 2]);
  expect(got[0]!.headers['webhook-id']).toBe(got[2]!.headers['webhook-id']);
});

test('a receiver that failed for a day is given up, with an event, and the others are not', async () => {
  const [bad, good] = [await receiver(() => 500), await receiver()];
  await hook('bad', bad.url, ['test.day']);
  await hook('good', good.url, ['webhook.disabled']);
  await sql.query(`update autoflow.webhooks set failing_since = now() - interval '25 hours', attempts = 30 where id = 'bad'`);
  await tell('test.nobody', 1);
  deliver();
  await untilPassed('bad');
  await tell('test.day', 1);
  await good.until(1);
  expect(good.got[0]!.event).toMatchObject({ type: 'webhook.disabled', data: { id: 'bad', error: 'answered 500' } });
  expect((await store.webhooks.get('bad'))!.disabledAt).toBeInstanceOf(Date);
  await tell('test.day', 1);
  await tell('webhook.disabled', 1);
  await good.until(2);
  expect(bad.got).toHaveLength(1);
});

test('two processes do not send the same event at a time, and a backlog of thousands goes through', async () => {
  const { url, got, until } = await receiver();
  await sql.query(`insert into autoflow.events (type, data) select 'test.noise', '{}' from generate_series(1, 20000)`);
  await hook('early', url, ['test.backlog']);
  await sql.query(`insert into autoflow.events (type, data) select 'test.noise', '{}' from generate_series(1, 20000)`);
  await sql.query(
    `insert into autoflow.events (type, data) select 'test.backlog', json_build_object('n', n) from generate_series(0, 99) n`,
  );
  deliver();
  deliver();
  await until(100);
  expect(numbers(got)).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('loopback and private addresses are refused unless allowed, by address, by name and by disguise', async () => {
  const { url, got } = await receiver();
  await hook('w', url, ['test.private']);
  await tell('test.private', 1);
  deliver({ allowPrivate: false });
  expect((await untilWebhook('w', ({ attempts }) => attempts > 0)).lastError).toMatch(/127\.0\.0\.1 is a loopback, private/);
  const to = (text: string) =>
    send(new URL(text), '{}', { headers: {}, timeoutMs: 1_000, allowPrivate: false, signal: new AbortController().signal });
  for (const host of [
    'localhost',
    '[::1]',
    '0x7f000001',
    '2130706433',
    '127.1',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '169.254.169.254',
    '[fd00::1]',
  ])
    await expect(to(`http://${host}:${new URL(url).port}/`), host).rejects.toThrow(PrivateAddressError);
  expect(got).toEqual([]);
  expect(['8.8.8.8', '2606:4700::1111'].map(isPrivate)).toEqual([false, false]);
  const looked = await new Promise<unknown>((resolve) => publicLookup('localhost', {}, (error) => resolve(error)));
  expect(looked).toBeInstanceOf(PrivateAddressError);
});
