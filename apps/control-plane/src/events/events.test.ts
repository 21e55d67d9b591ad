import { IncomingMessage, request, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ApiError, ApiUnreachableError, createClient, type Event } from '@autoflow/client';
import type { Response } from 'express';
import { useApi } from '../testing/api.js';
import { EventFeed } from './event-feed.js';
import { streamEvents } from './event-stream.js';

const api = useApi();
const BY = { actor: 'tester', reason: 'because' };
const flip = () => api.store.definitions.setStable({ pipeline: 'parcels', version: 'v1', by: BY });

/** The first events of a stream that are wanted; it ends with them. */
async function first(count: number, events: AsyncIterable<Event>): Promise<Event[]> {
  const seen: Event[] = [];
  for await (const event of events) if (seen.push(event) === count) break;
  return seen;
}

test('a stream tells of what happens from now on, and a page of what happened', async () => {
  const stream = api.viewer.events.follow({ pipeline: 'parcels', types: ['stable.set', 'allocation.set'] });
  const next = stream.next();
  // The stream begins at some moment: flips are made until one of them is heard.
  const flipping = setInterval(() => void flip(), 50);
  const { value } = await next;
  clearInterval(flipping);
  await stream.return();
  expect(value).toMatchObject({ type: 'stable.set', pipeline: 'parcels', data: { actor: 'tester', reason: 'because' } });

  const { items } = await api.viewer.events.list({ types: ['stable.set'], limit: 100 });
  expect(items.map(({ id }) => id)).toContain((value as Event).id);
  expect(new Set(items.map(({ type }) => type))).toEqual(new Set(['stable.set']));
});

test('a stream goes on behind Last-Event-ID: none is missed, none comes twice', async () => {
  for (let i = 0; i < 450; i++) await api.store.events.append({ pipeline: 'parcels', type: 'test.row', data: { i } });
  const [start] = await first(1, api.viewer.events.follow({ types: ['test.row'], after: '0-0' }));
  const half = await first(200, api.viewer.events.follow({ types: ['test.row'], after: start!.id }));
  const rest = await first(249, api.viewer.events.follow({ types: ['test.row'], after: half.at(-1)!.id }));
  expect([start!, ...half, ...rest].map(({ data }) => data['i'])).toEqual(Array.from({ length: 450 }, (_, i) => i));
});

test('a client finds its way back to a control plane that was restarted', async () => {
  const stack = await api.start();
  const port = Number(new URL(stack.url).port);
  const token = await api.store.access.createToken('follower', 'viewer');
  const client = createClient({ url: stack.url, token });
  const stream = client.events.follow({ types: ['test.restart'], after: await api.store.events.head() });
  await api.store.events.append({ type: 'test.restart', data: { n: 1 } });
  expect(((await stream.next()).value as Event).data).toEqual({ n: 1 });
  await stack.close();
  await api.store.events.append({ type: 'test.restart', data: { n: 2 } });
  const next = stream.next();
  await api.start({ port });
  expect(((await next).value as Event).data).toEqual({ n: 2 });
  await stream.return();
});

test('a reader that takes nothing holds nobody up', async () => {
  const large = 'x'.repeat(20_000);
  const from = await api.store.events.head();
  const token = await api.store.access.createToken('slow', 'viewer');
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': from };
  // A response that nobody reads: the kernel's buffers fill, and then the server has to wait.
  const slow = request(`${api.url}/v1/events?types=test.large`, { headers });
  const answered = new Promise((resolve) => slow.once('response', resolve));
  slow.end();
  await answered;
  const keys = Array.from({ length: 1_500 }, (_, i) => i);
  await Promise.all(keys.map((i) => api.store.events.append({ type: 'test.large', data: { i, large } })));
  const seen = await first(1_500, api.viewer.events.follow({ types: ['test.large'], after: from }));
  expect(new Set(seen.map(({ data }) => data['i'])).size).toBe(1_500);
  slow.destroy();
});

test('who may not is refused, and what is no type is said', async () => {
  const nobody = createClient({ url: api.url, token: 'wrong' });
  await expect(nobody.events.follow().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(createClient({ url: 'http://127.0.0.1:9' }).events.follow().next()).rejects.toThrow(ApiUnreachableError);
  await expect(api.viewer.events.follow({ types: ['Nonsense!'] }).next()).rejects.toThrow(ApiError);
  expect((await api.send('GET', '/v1/events?cursor=7')).problem.code).toBe('INVALID_PARAMETER');
});

test('a stream ends when its reader no longer wants it', async () => {
  const end = new AbortController();
  const stream = api.viewer.events.follow({ types: ['test.never'], signal: end.signal });
  const next = stream.next();
  end.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a stream that cannot begin takes up no place', async () => {
  const head = () => Promise.reject(new Error('no head'));
  const feed = new EventFeed({ ...api.store, events: { ...api.store.events, head } });
  const attempts = Array.from({ length: 201 }, () => {
    const response = new ServerResponse(new IncomingMessage(new Socket())) as unknown as Response;
    return () => streamEvents({ feed, wanted: () => true, after: undefined, response });
  });
  for (const attempt of attempts) await expect(attempt()).rejects.toThrow('no head');
  await feed.onModuleDestroy();
});

test('who makes and removes a webhook, and why, is in the audit log', async () => {
  const { id } = await api.admin.webhooks.create({ url: 'https://example.org/hook', reason: 'the pager' });
  await api.admin.webhooks.remove(id, 'a new pager');
  expect((await api.viewer.audit({ action: 'webhook' })).items).toMatchObject([
    { actor: 'admin', action: 'webhook.remove', reason: 'a new pager' },
    { actor: 'admin', action: 'webhook.create', reason: 'the pager' },
  ]);
});
