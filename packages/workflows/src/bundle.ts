/** Makes the workflow bundle. Done once, at build; from sources (tests) on first use. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const fromSources = import.meta.url.endsWith('.ts');
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Where `npm run bundle` writes to. */
export const BUNDLE_FILE = here('workflow-bundle.js');

/** Bundles the workflows, with further interceptors where a test wants to look on. Fails when a Node built-in gets in. */
export async function bundleWorkflows({ interceptors = [] }: { interceptors?: readonly string[] } = {}): Promise<{ code: string }> {
  const extension = fromSources ? 'ts' : 'js';
  return bundleWorkflowCode({
    workflowsPath: here(`workflows.${extension}`),
    workflowInterceptorModules: [here(`unknown-type.${extension}`), ...interceptors],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, conditionNames: [...(fromSources ? ['autoflow-source'] : []), 'import', 'require', 'node', 'default'] },
    }),
  });
}

/** The bundle made at build, or a fresh one. */
export async function workflowBundle(): Promise<{ code: string }> {
  if (!fromSources && existsSync(BUNDLE_FILE)) return { code: readFileSync(BUNDLE_FILE, 'utf8') };
  return bundleWorkflows();
}
