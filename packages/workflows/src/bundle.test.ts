import { existsSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleFile, bundleWorkflows, sourcesFile, sourcesHash, workflowBundle } from './bundle.js';

describe('the workflow bundle', () => {
  let code: string;
  beforeAll(async () => {
    // Fails by itself when a Node built-in is imported by anything in it.
    ({ code } = await bundleWorkflows());
  });

  it('exports the interpreter as default and the documented workflows, nothing else', () => {
    const sandbox = createContext({ TextEncoder, TextDecoder, AsyncLocalStorage: class {}, URL, URLSearchParams, assert: () => {} });
    // The SDK gives each workflow its own.
    runInContext('globalThis.__webpack_module_cache__ = {}', sandbox);
    const names = runInContext(`${code};\n({ names: Object.keys(__TEMPORAL__.importWorkflows()) })`, sandbox) as { names: string[] };
    expect([...names.names].sort()).toEqual([
      'Allocation',
      'Backfill',
      'BackfillDryRun',
      'Calibration',
      'Optimization',
      'Retraining',
      'Rollout',
      'Training',
      'default',
    ]);
  });

  it('holds our own modules and the SDK, and none of the libraries of the other worlds', () => {
    const sources = code.replace(/\/\/# sourceMappingURL=.*/g, '');
    for (const library of [
      'zod',
      'pg',
      'pino',
      'csv-parse',
      '@autoflow/store',
      '@autoflow/function-host',
      '@temporalio/worker',
      '@temporalio/client',
    ])
      expect(sources).not.toContain(`node_modules/${library}/`);
    expect(sources).not.toContain('packages/pipeline/src');
  });

  it('is small: each workflow context pays for it', () =>
    expect(code.replace(/\/\/# sourceMappingURL=.*/g, '').length).toBeLessThan(1.5 * 1024 * 1024));

  it('is the one of the build, where that was made of these sources', async () => {
    const builtOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
    const isCurrent = builtOf(sourcesFile) === sourcesHash();
    expect((await workflowBundle()).code === builtOf(bundleFile(false))).toBe(isCurrent);
  });
});
