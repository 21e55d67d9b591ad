/** Makes the workflow bundle. Done once, at build; from sources (tests) again where these have changed since. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const fromSources = import.meta.url.endsWith('.ts');
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const built = (name: string) => here(`${fromSources ? '../dist/' : ''}${name}`);
/** Where `npm run bundle` writes to. */
export const bundleFile = (traced: boolean) => built(`workflow-bundle${traced ? '.traced' : ''}.js`);
/** And of which sources it made them. */
export const sourcesFile = built('workflow-bundle.sources');

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

/** The bundle made at build, or a fresh one where there is none of these sources: that takes seconds of work. */
export async function workflowBundle({ traced = false }: Pick<BundleSettings, 'traced'> = {}): Promise<{ code: string }> {
  const file = bundleFile(traced);
  const isCurrent = () => !fromSources || (existsSync(sourcesFile) && readFileSync(sourcesFile, 'utf8') === sourcesHash());
  return existsSync(file) && isCurrent() ? { code: readFileSync(file, 'utf8') } : bundleWorkflows({ traced });
}

/** Of all files of the packages that workflows may import, and of the versions of those of others. */
export function sourcesHash(): string {
  const hash = createHash('sha256').update(readFileSync(here('../../../package-lock.json')));
  for (const name of ['workflows', 'topology', 'pipeline']) {
    const folder = here(`../../${name}/src`);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
    for (const file of files.sort())
      hash
        .update(`${name}/${file}\0`)
        .update(readFileSync(join(folder, file)))
        .update('\0');
  }
  return hash.digest('hex');
}
