import { access } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { build, type BuildFailure, type BuildOptions, type Message, type Metafile, type Plugin } from 'esbuild';
import { bundleConditions } from '../programs.js';
import { ReleaseError } from './errors.js';
import { mentionsLocales, withoutLocales } from './without-locales.js';

export interface Bundle {
  readonly code: Uint8Array;
  readonly sourceMap: Uint8Array;
  /** The file that was bundled. */
  readonly entry: string;
  /** What is in it, paths relative to the folder of the entry. */
  readonly inputs: Metafile['inputs'];
}

/**
 * CommonJS packages (pg, for one) call `require` and ask for `__dirname`, which an ES module lacks. They are given as globals:
 * a constant of the same name in the user's own module, a common idiom, would collide with a constant here.
 */
const COMMONJS_GLOBALS = [
  `import { createRequire as $createRequire } from 'node:module';`,
  `globalThis.require ??= $createRequire(import.meta.url);`,
  `globalThis.__filename ??= import.meta.filename;`,
  `globalThis.__dirname ??= import.meta.dirname;`,
].join('\n');

/** One ES module that holds the user's module and all it imports. The same bytes wherever the sources lie and whoever calls. */
export async function bundleModule(modulePath: string): Promise<Bundle> {
  const entry = resolve(modulePath);
  await access(entry).catch(() => {
    throw new ReleaseError('RELEASE_MODULE_MISSING', `There is no module ${entry}. Name the file that exports the pipeline.`);
  });
  try {
    const lean = await bundled(entry, [withoutLocales]);
    return (await mentionsLocales(lean.inputs, dirname(entry))) ? await bundled(entry, []) : lean;
  } catch (error) {
    const errors = (error as BuildFailure).errors as readonly Message[] | undefined;
    if (errors === undefined) throw error;
    throw new ReleaseError('RELEASE_DOES_NOT_BUNDLE', `${basename(entry)} cannot be bundled:\n${errors.map(described).join('\n')}`, {
      cause: error,
    });
  }
}

async function bundled(entry: string, plugins: Plugin[]): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...howAll(entry),
    outfile: resolve(dirname(entry), 'index.mjs'),
    sourcemap: 'linked',
    // Who deploys has the sources; a stack trace needs their places.
    sourcesContent: false,
    banner: { js: COMMONJS_GLOBALS },
    plugins,
  });
  const [sourceMap, code] = outputFiles.toSorted((a, b) => b.path.length - a.path.length);
  return { code: code!.contents, sourceMap: sourceMap!.contents, entry, inputs: metafile.inputs };
}

/** As `bundleModule`, without what is imported by these names. */
export async function bundleWithout(external: readonly string[], entry: string): Promise<Pick<Bundle, 'code' | 'inputs'>> {
  const { outputFiles, metafile } = await build({ ...howAll(entry), external: [...external] });
  return { code: outputFiles[0]!.contents, inputs: metafile.inputs };
}

const howAll = (entry: string) =>
  ({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    conditions: [...bundleConditions],
    // Comments and white space name paths, and cost time to read at every cold start. Names stay: errors are told by theirs.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
  }) as const satisfies BuildOptions;

function described({ location, text }: Message): string {
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
  const remedy = text.includes('.node"') ? ' (native addons cannot travel in a release: use a package without one)' : '';
  return `  ${place}${text}${remedy}`;
}
