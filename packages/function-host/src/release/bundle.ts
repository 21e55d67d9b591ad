import { access } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { build, type BuildFailure, type BuildOptions, type Message, type Plugin } from 'esbuild';
import { bundleConditions } from '../programs.js';
import { ReleaseError } from './errors.js';
import { hashLibraries, LIBRARIES } from './libraries.js';
import { mentionsLocales, withoutLocales } from './without-locales.js';

export interface Bundle {
  readonly code: Uint8Array;
  readonly sourceMap: Uint8Array;
  /** The same without the libraries of which it is known what their code does: those it imports. */
  readonly own: Uint8Array;
  /** Hash (SHA-256, hex) of the sources of these libraries. */
  readonly libraries: string;
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
    const [whole, own] = await Promise.all([bundleWhole(entry), bundleOwn(entry)]);
    return { ...whole, own };
  } catch (error) {
    const errors = (error as BuildFailure).errors as readonly Message[] | undefined;
    if (errors === undefined) throw error;
    throw new ReleaseError('RELEASE_DOES_NOT_BUNDLE', `${basename(entry)} cannot be bundled:\n${errors.map(described).join('\n')}`, {
      cause: error,
    });
  }
}

async function bundleWhole(entry: string, plugins: Plugin[] = [withoutLocales]): Promise<Omit<Bundle, 'own'>> {
  const { outputFiles, metafile } = await build({
    ...common(entry),
    outfile: resolve(dirname(entry), 'index.mjs'),
    sourcemap: 'linked',
    // Who deploys has the sources; a stack trace needs their places.
    sourcesContent: false,
    banner: { js: COMMONJS_GLOBALS },
    metafile: true,
    plugins,
  });
  const [sourceMap, code] = outputFiles.toSorted((a, b) => b.path.length - a.path.length);
  if (plugins.length > 0 && mentionsLocales(code!.contents)) return bundleWhole(entry, []);
  const sources = Object.keys(metafile.inputs).map((path) => resolve(dirname(entry), path));
  return { code: code!.contents, sourceMap: sourceMap!.contents, libraries: await hashLibraries(sources) };
}

/** A few milliseconds of the bundler spare half a second of reading code that is known. */
async function bundleOwn(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({ ...common(entry), external: [...LIBRARIES] });
  return outputFiles[0]!.contents;
}

const common = (entry: string) =>
  ({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    bundle: true,
    write: false,
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
