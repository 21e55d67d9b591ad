import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXECUTION_QUEUE } from '@autoflow/topology';
import { EXECUTION_QUEUE as askedFor } from '../local-stack/src/live-worker.js';
import { configuredTemporal } from '../local-stack/src/temporal-external.js';
import { forgetNamedServers } from './own-servers.js';

test('whatever the user names, the tests see no server of theirs', () => {
  const env = {
    PATH: '/bin',
    TEMPORAL_ADDRESS: 'theirs:7233',
    TEMPORAL_PROFILE: 'production',
    TEMPORAL_CONFIG_FILE: '/theirs.toml',
    TEMPORAL_API_KEY: 'key',
    DATABASE_URL: 'postgres://theirs/orders',
  };
  forgetNamedServers(env);
  expect(Object.keys(env)).toEqual(['PATH', 'TEMPORAL_CONFIG_FILE']);
  expect(existsSync(env.TEMPORAL_CONFIG_FILE)).toBe(false);
  expect(configuredTemporal(env)).toBeUndefined();
});

test('this process, and with it what it starts, has been told of none', () => {
  expect(Object.keys(process.env).filter((name) => name.startsWith('TEMPORAL_'))).toEqual(['TEMPORAL_CONFIG_FILE']);
  expect(process.env['DATABASE_URL']).toBeUndefined();
});

test('a stack looks for other workers on the queue that workers poll', () => {
  expect(askedFor).toBe(EXECUTION_QUEUE);
});
