import { expect, test } from 'vitest';
import { createClient } from '@autoflow/client';
import { useApi } from '../testing/api.js';
import { ensureAdminToken } from './admin-token.js';

const api = useApi();
const [first, second] = ['1'.repeat(24), '2'.repeat(24)] as const;

const rights = (token: string) =>
  createClient({ url: api.url, token })
    .pipelines.list()
    .then(
      () => 'let in',
      () => 'not let in',
    );

test('the token of the settings is the way in, however often the control plane starts', async () => {
  expect(await rights(first)).toBe('not let in');
  await Promise.all([ensureAdminToken(api.store, first), ensureAdminToken(api.store, first)]);
  await ensureAdminToken(api.store, first);
  expect(await rights(first)).toBe('let in');
  expect(await api.store.access.findToken(first)).toMatchObject({ role: 'admin' });
});

test('another one replaces it, and nobody else loses theirs', async () => {
  await ensureAdminToken(api.store, second);
  expect([await rights(first), await rights(second)]).toEqual(['not let in', 'let in']);
  await expect(api.admin.pipelines.list()).resolves.toBeDefined();
});

test('the token of somebody else is refused, without being told', async () => {
  const token = await api.store.access.createToken('a-viewer', 'viewer');
  const refused = ensureAdminToken(api.store, token);
  await expect(refused).rejects.toThrow('a-viewer');
  await expect(refused).rejects.not.toThrow(token);
  expect(await api.store.access.findToken(token)).toMatchObject({ role: 'viewer' });
});
