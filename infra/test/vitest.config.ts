import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Those of Node: what a package has under `module` is for bundlers, and Node cannot always load it. */
const CONDITIONS = defaultServerConditions.filter((condition) => condition !== 'module');

/** One run for every test of the project, against the real Temporal and Postgres of the global set-up. */
export default defineConfig({
  root,
  ssr: { resolve: { conditions: ['autoflow-source', ...CONDITIONS] } },
  test: {
    include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'infra/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    provide: { assertTimes: false },
    globalSetup: ['infra/test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What comes later is waited for as long as a slow machine takes; a second is not enough for two files at once on two cores.
    expect: { poll: { timeout: 30_000 } },
  },
});
