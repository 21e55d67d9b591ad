import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { HostList } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';

const api = useApi();

test('the fleet is listed: who is alive, in which roles, with which pools', async () => {
  expect(HostList.parse((await api.send('GET', '/v1/hosts')).json)).toEqual({ items: [] });
  const host = {
    host: 'worker-1',
    incarnation: randomUUID(),
    roles: ['workflows', 'functions'],
    version: '0.1.0',
    enforcement: 'soft',
  } as const;
  const pool = { pipeline: 'parcels', version: 'v1', stage: 'book', memoryMb: 256, concurrency: 2, instances: 1 };
  await api.store.fleet.beat(host, []);
  await api.store.fleet.beat({ host: 'worker-2', incarnation: randomUUID(), roles: ['control'], version: '0.1.0' }, []);
  await api.store.hosts.acknowledge('worker-1', [pool]);
  const { items } = HostList.parse(await api.viewer.hosts());
  const { incarnation: _, ...shown } = host;
  expect(items).toEqual([
    { ...shown, startedAt: expect.any(String), seenAt: expect.any(String), pools: [pool] },
    { host: 'worker-2', roles: ['control'], version: '0.1.0', startedAt: expect.any(String), seenAt: expect.any(String), pools: [] },
  ]);
  expect((await api.send('GET', '/v1/hosts', { headers: { authorization: '' } })).problem).toMatchObject({ code: 'UNAUTHENTICATED' });
});
