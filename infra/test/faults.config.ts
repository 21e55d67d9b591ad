import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config.js';

/** `npm run test:faults`: one file after the other on servers of their own, which it kills. */
export default defineConfig({
  ...mergeConfig(tests, {}),
  test: { ...tests.test, include: ['test/src/{faults,rollouts}/*.faults.ts'], maxWorkers: 1, testTimeout: 120_000 },
});
