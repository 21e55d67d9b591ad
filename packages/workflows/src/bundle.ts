/** Makes the workflow bundle. Done once, at build; from sources (tests) on first use. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const fromSources = import.meta.url.endsWith('.ts');
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Where `npm run bundle` writes to. */
export const bundleFile = (traced: boolean) => here(traced ? 'workflow-bundle.traced.js' : 'workflow-bundle.js');

/** Of OpenTelemetry, which is not small: every workflow context pays for it, so it is in a bundle of its own. */
const TRACING = createRequire(import.meta.url).resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors');

export interface BundleSettings {
  /** Workflows make spans, for the sink `exporter`. What they do is the same. */
  readonly traced?: boolean;
  /** Further ones, where a test wants to look on. */
  readonly interceptors?: readonly string[];
}

/** Bundles the workflows. Fails when a Node built-in gets in. */
export async function bundleWorkflows({ traced = false, interceptors = [] }: BundleSettings = {}): Promise<{ code: string }> {
  const extension = fromSources ? 'ts' : 'js';
  return bundleWorkflowCode({
    workflowsPath: here(`workflows.${extension}`),
    workflowInterceptorModules: [here(`unknown-type.${extension}`), ...(traced ? [TRACING] : []), ...interceptors],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, conditionNames: [...(fromSources ? ['autoflow-source'] : []), 'import', 'require', 'node', 'default'] },
    }),
  });
}

/** The bundle made at build, or a fresh one. */
export async function workflowBundle({ traced = false }: Pick<BundleSettings, 'traced'> = {}): Promise<{ code: string }> {
  const file = bundleFile(traced);
  if (!fromSources && existsSync(file)) return { code: readFileSync(file, 'utf8') };
  return bundleWorkflows({ traced });
}
