import { defaultServerConditions } from 'vite';
import type { TestProjectInlineConfiguration } from 'vitest/config';

export const FILES = ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'infra/**/*.test.ts', 'test/**/*.test.ts'];

/** Sources of our own packages. Not `module`: what a package has there is for bundlers, and Node cannot always load it. */
export const RESOLVE = {
  resolve: { conditions: ['autoflow-source', ...defaultServerConditions.filter((condition) => condition !== 'module')] },
};

/** Test files of one kind. Each has a process of its own, unless `isolate` is false. */
export function projectOf(
  name: string,
  include: string[],
  { exclude = [], ...more }: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration {
  return {
    ssr: RESOLVE,
    test: {
      name,
      include,
      exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
      pool: 'forks',
      // As long as a slow machine takes, on which other things run: three files at once on two cores are each slower than one.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // A second is not enough for what comes later.
      expect: { poll: { timeout: 30_000 } },
      ...more,
    },
  };
}
