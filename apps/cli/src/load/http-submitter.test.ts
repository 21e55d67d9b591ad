import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpSubmitter } from './http-submitter.js';

const counts = { accepted: 1, known: 0, conflict: 0, invalid: 0 };
const answer: RequestListener = (_, response) => void response.writeHead(202).end(JSON.stringify({ counts }));
const reset: RequestListener = (request) => void request.socket.resetAndDestroy();

/** What the server does with one post after the other. */
let script: RequestListener[];
const server = createServer((request, response) => {
  request.resume().once('end', () => script.shift()!(request, response));
});
let submitter: HttpSubmitter;
beforeEach(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  submitter = new HttpSubmitter({ url: `http://127.0.0.1:${port}`, pipeline: 'orders', scope: 'live' });
});
afterEach(async () => {
  submitter.close();
  await new Promise((closed) => server.close(closed));
});
const submit = () => submitter.submit([{ id: 'a' }]);

test('what meets the end of a kept connection is posted once more', async () => {
  script = [answer, reset, answer];
  await submit();
  expect(await submit()).toEqual({ accepted: 1, refused: 0 });
  expect(script).toEqual([]);
});

test('a server that closes new connections fails', async () => {
  script = [reset, answer];
  await expect(submit()).rejects.toThrow('ECONNRESET');
  expect(script).toEqual([answer]);
});
