import { SettingsError } from '@autoflow/http';
import { expect, test } from 'vitest';
import { readSettings } from './settings.js';

test('the least that is needed is a database', () => {
  expect(readSettings({ DATABASE_URL: 'postgres://u:p@h/d' })).toEqual({
    databaseUrl: 'postgres://u:p@h/d',
    host: '127.0.0.1',
    port: 4100,
    bodyLimitBytes: 8 * 1024 * 1024,
    lineLimitBytes: 1024 * 1024,
    waitingLimit: 200_000,
    logLevel: 'info',
  });
});

test('everything that is wrong is told at once, and no value is', () => {
  const wrong = {
    DATABASE_URL: 'mysql://root:secret@h/d',
    AUTOFLOW_INGEST_PORT: '70000',
    AUTOFLOW_INGEST_BODY_LIMIT_BYTES: 'much',
    AUTOFLOW_INGEST_LINE_LIMIT_BYTES: '1',
    AUTOFLOW_INGEST_WAITING_LIMIT: '0',
    AUTOFLOW_LOG_LEVEL: 'loud',
  };
  const read = () => readSettings(wrong);
  expect(read).toThrow(SettingsError);
  try {
    read();
  } catch (error) {
    expect((error as SettingsError).problems.map((problem) => problem.split(' ')[0])).toEqual(Object.keys(wrong));
    expect((error as SettingsError).message).not.toContain('secret');
  }
});
