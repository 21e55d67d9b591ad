import { SettingsError } from '@autoflow/http';
import { expect, test } from 'vitest';
import { readSettings } from './settings.js';

test('the least that is needed is a database', () => {
  expect(readSettings({ DATABASE_URL: 'postgres://u:p@h/d' })).toEqual({
    databaseUrl: 'postgres://u:p@h/d',
    host: '127.0.0.1',
    port: 4000,
    releaseLimitBytes: 32 * 1024 * 1024,
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 1200,
    logLevel: 'info',
  });
});

test('an admin token is long', () => {
  const adminToken = 'x'.repeat(24);
  expect(readSettings({ DATABASE_URL: 'postgres://u:p@h/d', AUTOFLOW_ADMIN_TOKEN: adminToken })).toMatchObject({ adminToken });
  for (const token of ['x'.repeat(23), 'with a space that is long enough', ''])
    expect(() => readSettings({ DATABASE_URL: 'postgres://u:p@h/d', AUTOFLOW_ADMIN_TOKEN: token })).toThrow(SettingsError);
});

test('everything that is wrong is told at once, and no value is', () => {
  let error: unknown;
  try {
    readSettings({
      DATABASE_URL: 'mysql://root:secret@h/d',
      AUTOFLOW_API_PORT: 'many',
      AUTOFLOW_ADMIN_TOKEN: 'secret',
      AUTOFLOW_LOG_LEVEL: 'loud',
    });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SettingsError);
  expect((error as SettingsError).problems.map((problem) => problem.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'AUTOFLOW_API_PORT',
    'AUTOFLOW_ADMIN_TOKEN',
    'AUTOFLOW_LOG_LEVEL',
  ]);
  expect((error as SettingsError).message).not.toContain('secret');
});
