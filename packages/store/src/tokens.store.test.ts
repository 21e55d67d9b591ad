import { expect, test } from 'vitest';
import { LastAdminError } from './errors.js';
import { by, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
const tokens = () => context.store.tokens;
const nameOf = async (token: string) => (await context.store.access.findToken(token))?.name;
const age = (name: string, column: string) =>
  context.sql.query(`update autoflow.tokens set ${column} = now() - interval '1 second' where name = $1`, [name]);

test('a token is answered once, listed without what it is, and revoked', async () => {
  const { row, token } = await tokens().create({ name: 'ci', role: 'operator', by });
  expect(row).toMatchObject({ name: 'ci', role: 'operator' });
  expect(await nameOf(token)).toBe('ci');
  const listed = await tokens().list({ limit: 10 });
  expect(listed.map(({ name, lastUsedAt }) => [name, lastUsedAt])).toEqual([['ci', expect.any(Date)]]);
  expect(JSON.stringify(listed)).not.toContain(token);
  await expect(tokens().create({ name: 'ci', role: 'viewer', by })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await tokens().revoke({ name: 'ci', by });
  expect([await nameOf(token), await tokens().get('ci')]).toEqual([undefined, undefined]);
  await expect(tokens().revoke({ name: 'ci', by })).rejects.toMatchObject({ code: 'NOT_FOUND', details: { kind: 'token' } });
});

test('an expired one is nobody', async () => {
  const { token } = await tokens().create({ name: 'short', role: 'viewer', expiresAt: new Date(Date.now() + 60_000), by });
  expect(await nameOf(token)).toBe('short');
  await age('short', 'expires_at');
  expect(await nameOf(token)).toBeUndefined();
});

test('after a rotation the old one is taken for a while', async () => {
  const old = await tokens().create({ name: 'rotated', role: 'viewer', by });
  const fresh = await tokens().rotate({ name: 'rotated', graceSeconds: 60, by });
  expect([await nameOf(old.token), await nameOf(fresh.token)]).toEqual(['rotated', 'rotated']);
  expect((await tokens().get('rotated'))?.previousUntil).toBeInstanceOf(Date);
  await age('rotated', 'previous_until');
  expect([await nameOf(old.token), await nameOf(fresh.token)]).toEqual([undefined, 'rotated']);
  expect((await tokens().get('rotated'))?.previousUntil).toBeUndefined();
  const newest = await tokens().rotate({ name: 'rotated', graceSeconds: 0, by });
  expect([await nameOf(fresh.token), await nameOf(newest.token)]).toEqual([undefined, 'rotated']);
});

test('the last admin is locked out neither by a rotation nor by a revocation', async () => {
  const admin = await tokens().create({ name: 'root', role: 'admin', by });
  const { token: brief } = await tokens().create({ name: 'brief', role: 'admin', expiresAt: new Date(Date.now() + 60_000), by });
  await expect(tokens().revoke({ name: 'root', by })).rejects.toThrow(LastAdminError);
  await expect(tokens().rotate({ name: 'root', graceSeconds: 0, expiresAt: new Date(Date.now() + 60_000), by })).rejects.toThrow('expiry');
  const fresh = await tokens().rotate({ name: 'root', graceSeconds: 0, by });
  expect(await nameOf(admin.token)).toBe('root'); // its answer may have been lost
  expect(await nameOf(fresh.token)).toBe('root');
  expect([await nameOf(admin.token), await nameOf(brief)]).toEqual([undefined, 'brief']);
});

test('of two admins that revoke each other at the same time, one remains', async () => {
  await tokens().create({ name: 'root-2', role: 'admin', by });
  const ended = await Promise.allSettled(['root', 'root-2'].map((name) => tokens().revoke({ name, by })));
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('every change has its audit row, none has a token', async () => {
  const rows = await context.store.access.audit({ action: 'token', limit: 100 });
  expect(new Set(rows.map(({ action }) => action))).toEqual(new Set(['token.create', 'token.rotate', 'token.revoke']));
  expect(JSON.stringify(rows)).not.toMatch(/af_[\w-]{20}/);
  expect(await context.store.access.audit({ action: 'token.revoke', actor: 'nobody', limit: 9 })).toEqual([]);
  expect(await context.store.access.audit({ since: new Date(Date.now() + 60_000), limit: 9 })).toEqual([]);
});
