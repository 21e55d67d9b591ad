import { defineConfig } from 'vitest/config';
import { projectOf } from './projects.js';
import tests from './vitest.config.js';

const FAULTS = [
  'test/src/{faults,rollouts}/*.faults.ts',
  'apps/cli/src/demo/demo.faults.ts',
  'test/src/faults/short.test.ts',
  'test/src/fleet/three-workers.test.ts',
];

/** `npm run test:faults`: one file after the other on servers of their own, which it kills; with them what is promised within a time, and the whole demo. */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    provide: { assertTimes: true },
    maxWorkers: 1,
    projects: [projectOf('faults', FAULTS)],
  },
});
