import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { createControlPlane } from '../control-plane.js';
import { useApi } from '../testing/api.js';

const api = useApi();
const stack = useTestStack();

test('it is live and ready', async () => {
  expect((await api.send('GET', '/v1/health/live')).json).toEqual({ status: 'ok' });
  expect((await api.send('GET', '/v1/health/ready')).json).toMatchObject({
    status: 'ok',
    details: { postgres: { status: 'up' }, temporal: { status: 'up' } },
  });
});

test('without Postgres every request is a problem that passes, until Postgres is back', async () => {
  const proxy = await proxyTo(new URL(stack.databaseUrl));
  const store = await openStore({ connectionString: proxy.url });
  await store.migrate();
  const token = await store.access.createToken('viewer', 'viewer');
  const controlPlane = await createControlPlane({ store, temporal: api.temporal });
  const get = (path: string) => fetch(`${controlPlane.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  expect((await get('/v1/pipelines')).status).toBe(200);

  await proxy.cut();
  const lost = await get('/v1/pipelines');
  expect([lost.status, lost.headers.has('retry-after')]).toEqual([503, true]);
  const body = await lost.text();
  expect(JSON.parse(body)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  expect(body).not.toContain(new URL(stack.databaseUrl).password || 'no password');
  const ready = await get('/v1/health/ready');
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { code: 'NOT_READY', retryable: true, errors: [{ parameter: 'postgres' }] },
  ]);
  expect((await get('/v1/health/live')).status).toBe(200);

  await proxy.mend();
  expect((await get('/v1/pipelines')).status).toBe(200);
  await controlPlane.close();
  await store.close();
  await proxy.cut();
});

test('without Temporal it is not ready, and pipelines are answered all the same', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '1s' });
  const { url } = await api.start({ temporal: new Client({ connection }) });
  const ready = await fetch(`${url}/v1/health/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { code: 'NOT_READY', errors: [{ parameter: 'temporal' }] }]);
  const token = await api.store.access.createToken('looks', 'viewer');
  expect((await fetch(`${url}/v1/pipelines`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
});

/** A way to Postgres that can be cut. */
async function proxyTo(database: URL) {
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  const mend = async () => {
    server = createServer((from) => {
      const to = connect(Number(database.port), database.hostname);
      for (const socket of [from, to]) sockets.add(socket.on('error', () => undefined));
      from.pipe(to).pipe(from);
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    port = (server.address() as { port: number }).port;
  };
  const cut = async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (server.listening) await new Promise((closed) => server.close(closed));
  };
  await mend();
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return { url: url.href, cut, mend };
}
