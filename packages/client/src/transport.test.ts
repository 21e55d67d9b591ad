import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApiUnreachableError } from './api-error.js';
import { createIngestClient } from './ingest-client.js';
import { createTransport } from './transport.js';

/** What the server does with one request after the other. */
let script: RequestListener[] = [];
let asked = 0;
const server = createServer((request, response) => {
  asked++;
  request.resume().once('end', () => script.shift()!(request, response));
});
let url: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = 0;
});

const reset: RequestListener = (request) => void request.socket.resetAndDestroy();
const close: RequestListener = (request) => void request.socket.destroy();
const answer: RequestListener = (_, response) => void response.setHeader('content-type', 'application/json').end('{"ok":true}');
const breakOff: RequestListener = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{', () => request.socket.destroy());
};
const submit = () => createIngestClient({ url }).records.submit('orders', { id: 'a' });
const call = (request: Parameters<ReturnType<typeof createTransport>>[1]) => createTransport({ url })('/x', request);

test.each([
  ['records', reset, submit],
  ['records, by a server that closes', close, submit],
  ['what only reads', reset, () => call({})],
  ['what has an idempotency key', reset, () => call({ method: 'POST', body: {}, idempotencyKey: 'k' })],
])('%s are sent again when the connection is closed before an answer', async (_, trouble, send) => {
  script = [answer, trouble, answer];
  // So that the connection is one that was used before.
  await call({});
  await expect(send()).resolves.toEqual({ ok: true });
  expect(asked).toBe(3);
});

test.each([
  ['what may not be repeated', [reset], () => call({ method: 'POST', body: {} })],
  ['a second time', [reset, reset], submit],
  ['when the answer has begun', [breakOff], submit],
])('nothing is sent again: %s', async (_, troubles, send) => {
  script = [...troubles];
  await expect(send()).rejects.toBeInstanceOf(ApiUnreachableError);
  expect(asked).toBe(troubles.length);
});
