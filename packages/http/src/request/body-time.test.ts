import { once } from 'node:events';
import { createServer, request as send, type ClientRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express } from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limitBodies } from './body-time.js';

const app = new ExpressAdapter().getInstance<Express>();
// Node's own bound, as short, and looked after as often.
const server = createServer({ requestTimeout: 200, headersTimeout: 100, connectionsCheckingInterval: 20 }, app);
beforeAll(async () => {
  app.use(limitBodies(server, { types: ['text/lines'], idleMs: 60_000 }, 200));
  app.post('/', async (request, response) => {
    response.end(await text(request).catch(() => 'cut'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close());

/** Sends the first half of a body. */
function begin(type: string): ClientRequest {
  const { port } = server.address() as AddressInfo;
  const request = send({ port, method: 'POST', headers: { 'content-type': type } });
  request.write('first ');
  return request;
}

test('a stream may take longer than any other body', async () => {
  const stream = begin('text/lines');
  const answer = once(stream, 'response') as Promise<[IncomingMessage]>;
  const json = begin('application/json');
  await expect(once(json, 'response')).rejects.toThrow('socket hang up');
  stream.end('second');
  expect(await text((await answer)[0])).toBe('first second');
});
