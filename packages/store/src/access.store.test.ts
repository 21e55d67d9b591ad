import { describe, expect, test } from 'vitest';
import { registerPipeline, useTestStore } from './testing/fixtures.js';

describe('access', () => {
  const context = useTestStore();
  const access = () => context.store.access;

  test('a token is found, and stored nowhere', async () => {
    const token = await access().createToken('ci', 'operator');
    expect(token).toMatch(/^af_[\w-]{43}$/);
    expect(await access().findToken(token)).toEqual({ name: 'ci', role: 'operator' });
    const { rows } = await context.sql.query(`select t::text from autoflow.tokens t union all select a::text from autoflow.audit a`);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test('one per name: a new one replaces it', async () => {
    const first = await access().createToken('admin', 'admin');
    expect(await access().createToken('admin', 'viewer', 'af_given')).toBe('af_given');
    expect(await access().findToken(first)).toBeUndefined();
    expect(await access().findToken('af_given')).toEqual({ name: 'admin', role: 'viewer' });
    expect(await access().createToken('admin', 'viewer', 'af_given')).toBe('af_given');
  });

  test('an unknown, empty or odd token is nobody', async () => {
    for (const token of ['', 'af_wrong', 'nul\0', 'x'.repeat(100_000)]) expect(await access().findToken(token)).toBeUndefined();
  });

  test('the audit log is read newest first, in pages', async () => {
    for (const name of ['p1', 'p2']) await registerPipeline(context.store, name);
    const [newest, ...older] = await access().audit({ limit: 3 });
    expect(newest).toMatchObject({
      pipeline: 'p2',
      action: 'version.register',
      actor: 'tester',
      reason: 'because',
      after: { version: 'v1' },
      at: expect.any(Date),
    });
    expect(await access().audit({ limit: 2, before: newest!.id })).toEqual(older);
    expect((await access().audit({ pipeline: 'p1', limit: 9 })).map(({ action }) => action)).toEqual([
      'version.register',
      'release.register',
    ]);
  });
});
