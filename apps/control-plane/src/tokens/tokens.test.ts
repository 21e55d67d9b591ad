import { expect, test } from 'vitest';
import { createClient } from '@autoflow/client';
import { IssuedToken, TokenPage } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';

const api = useApi();
const post = (path: string, body: object, headers = {}) => api.send('POST', `/v1/tokens${path}`, { body, headers });
const rights = (token: string) =>
  createClient({ url: api.url, token })
    .pipelines.list()
    .then(
      () => 'let in',
      () => 'not let in',
    );
const later = () => new Date(Date.now() + 3_600_000).toISOString();

test('a token is made, listed without what it is, rotated and revoked', async () => {
  const made = await post('', { name: 'ci', role: 'viewer', expiresAt: later(), reason: 'for the build' });
  expect(made.status).toBe(201);
  const { token } = IssuedToken.parse(made.json);
  expect(await rights(token)).toBe('let in');
  const listed = await api.send('GET', '/v1/tokens');
  expect(TokenPage.parse(listed.json).items.find(({ name }) => name === 'ci')).toMatchObject({
    role: 'viewer',
    expiresAt: expect.any(String),
    lastUsedAt: expect.any(String),
  });
  expect(JSON.stringify(listed.json)).not.toContain(token);
  const rotated = await api.admin.tokens.rotate('ci', { graceSeconds: 60, reason: 'monthly' });
  expect([await rights(token), await rights(rotated.token)]).toEqual(['let in', 'let in']);
  await api.admin.tokens.revoke('ci', 'gone');
  expect([await rights(token), await rights(rotated.token)]).toEqual(['not let in', 'not let in']);
  expect((await api.viewer.audit({ action: 'token' })).items.slice(0, 3).map(({ action, reason }) => [action, reason])).toEqual([
    ['token.revoke', 'gone'],
    ['token.rotate', 'monthly'],
    ['token.create', 'for the build'],
  ]);
});

test('a repeated request is told that it was done, and not the token', async () => {
  const body = { name: 'once', role: 'viewer', reason: 'x' };
  const { json } = await post('', body, { 'idempotency-key': 't1' });
  const again = await post('', body, { 'idempotency-key': 't1' });
  expect([again.status, again.problem.code]).toEqual([409, 'ANSWER_NOT_KEPT']);
  expect(JSON.stringify(again.json)).not.toContain(json.token);
  expect((await post('', body)).problem.code).toBe('ALREADY_EXISTS');
});

test('the last admin stays', async () => {
  const refused = await post('/admin:revoke', { reason: 'oops' });
  expect([refused.status, refused.problem.code]).toEqual([409, 'LAST_ADMIN']);
  expect((await post('/admin:rotate', { expiresAt: later(), reason: 'x' })).problem.code).toBe('LAST_ADMIN');
});

test.each([
  ['no name', { role: 'viewer', reason: 'x' }, ['/name']],
  ['an unknown role', { name: 'a', role: 'root', reason: 'x' }, ['/role']],
  ['no reason', { name: 'a', role: 'viewer' }, ['/reason']],
  ['an expiry in the past', { name: 'a', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z', reason: 'x' }, ['/expiresAt']],
  ['a token of their own', { name: 'a', role: 'viewer', token: 'af_mine', reason: 'x' }, ['/token']],
])('%s is refused', async (_, body, pointers) => {
  const { status, problem } = await post('', body);
  expect([status, problem.errors?.map(({ pointer }) => pointer)]).toEqual([422, pointers]);
});

test('unknown tokens are not found', async () => {
  expect((await api.send('GET', '/v1/tokens/nobody')).problem.code).toBe('TOKEN_UNKNOWN');
  expect((await post('/nobody:rotate', { reason: 'x' })).problem.code).toBe('TOKEN_UNKNOWN');
});
