import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config.js';

/** `npm run test:faults`: one file after the other on servers of their own, which it kills; with them what is promised within a time, and the whole demo. */
export default defineConfig({
  ...mergeConfig(tests, {}),
  test: {
    ...tests.test,
    include: [
      'test/src/{faults,rollouts}/*.faults.ts',
      'apps/cli/src/demo/demo.faults.ts',
      'test/src/faults/short.test.ts',
      'test/src/fleet/three-workers.test.ts',
    ],
    provide: { assertTimes: true },
    maxWorkers: 1,
    testTimeout: 120_000,
  },
});
