import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FILES, RESOLVE, projectOf } from './projects.js';

/**
 * Files that leave nothing behind in their process: no Temporal worker, no tensors, no changed working folder. They share processes, because to load what
 * they test takes longer than most of them.
 */
const SHARING = [
  'packages/{client,experiment,http,optimizer,pipeline,store,telemetry,topology,twin,worker}/**/*.test.ts',
  'apps/{control-plane,ingest,retail-orders}/**/*.test.ts',
  'apps/cli/src/load/*.test.ts',
  'test/src/bench/**/*.test.ts',
];

/** One run for every test of the project, against the real Temporal and Postgres of the global set-up. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  ssr: RESOLVE,
  test: {
    provide: { assertTimes: false },
    globalSetup: ['infra/test/global-setup.ts'],
    // More than two cores: the long ones wait more than they compute.
    maxWorkers: 3,
    // They begin in the order of their names: the long files are all in the first, so that no core is idle at the end.
    projects: [projectOf('alone', FILES, { exclude: SHARING }), projectOf('sharing', SHARING, { isolate: false })],
  },
});
