import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Config, modulesOf, type ConfiguredModule } from '@autoflow/pipeline/config';
import { build, type BuildFailure } from 'esbuild';
import { CliError } from '../errors.js';

/** A folder with an `autoflow.config.ts`; paths are absolute. */
export interface Project {
  readonly file: string;
  readonly folder: string;
  readonly modules: readonly ConfiguredModule[];
  readonly api?: string | undefined;
  readonly ingest?: string | undefined;
  readonly worker: NonNullable<Config['worker']>;
}

/** All that is wrong with the file is told at once: CONFIG_INVALID. */
export async function readConfig(file: string): Promise<Project> {
  const { default: given } = await evaluate(file);
  const parsed = Config.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'export default'}: ${message}`);
    throw invalid(file, `is not what defineConfig takes:\n${problems.join('\n')}`);
  }
  const folder = dirname(file);
  const absolute = (path: string) => resolve(folder, path);
  const { api, ingest, worker = {} } = parsed.data;
  const { releases, sources } = worker;
  return {
    file,
    folder,
    modules: modulesOf(parsed.data).map(({ name, module, samples }) => ({ name, module: absolute(module), samples: absolute(samples) })),
    api,
    ingest,
    worker: {
      ...worker,
      ...(releases !== undefined && { releases: absolute(releases) }),
      ...(sources !== undefined && { sources: sources.map(absolute) }),
    },
  };
}

/** Bundled with all that it imports, and loaded from memory: nothing is written beside it. */
async function evaluate(file: string): Promise<{ readonly default?: unknown }> {
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      define: {
        'import.meta.url': JSON.stringify(pathToFileURL(file).href),
        'import.meta.dirname': JSON.stringify(dirname(file)),
        'import.meta.filename': JSON.stringify(file),
      },
      logLevel: 'silent',
    });
    return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`)) as object;
  } catch (error) {
    const errors = (error as BuildFailure).errors ?? [];
    const places = errors.map(({ location, text }) => `  ${location ? `${location.line}:${location.column + 1}: ` : ''}${text}`);
    throw invalid(file, places.length > 0 ? `cannot be compiled:\n${places.join('\n')}` : `throws when it is loaded: ${String(error)}`);
  }
}

const invalid = (file: string, why: string): CliError => new CliError('CONFIG_INVALID', `${relative(process.cwd(), file)} ${why}`);
