import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Metafile, Plugin } from 'esbuild';

/**
 * Leaves zod's translations out of a bundle: 300 KB that `import { z } from 'zod'` brings along, read by nobody, and loaded at every cold
 * start. English, the default, stays. A module that `mentionsLocales` is to be bundled without this.
 */
export const withoutLocales: Plugin = {
  name: 'without-locales',
  setup(build) {
    build.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, ({ importer, resolveDir, path }) =>
      /[\\/]zod[\\/]v4[\\/](classic|mini|core)[\\/]/.test(importer) ? { path: join(resolveDir, path), suffix: NONE } : undefined,
    );
    build.onLoad({ filter: /[\\/]locales[\\/]index\.js$/ }, ({ suffix }) => (suffix === NONE ? { contents: 'export {};' } : undefined));
  },
};

const NONE = '?none';

/**
 * Whether anything but zod names the locales that were left out. The sources tell; the bundle does not: of `z.locales.nl`, with z a
 * namespace, the bundler leaves no more than `undefined`.
 */
export async function mentionsLocales(inputs: Metafile['inputs'], folder: string): Promise<boolean> {
  const paths = Object.keys(inputs);
  if (!paths.some((path) => path.endsWith(NONE))) return false;
  const mentioned = await Promise.all(paths.filter((path) => !isZod(path)).map((path) => mentions(resolve(folder, path))));
  return mentioned.includes(true);
}

const isZod = (path: string): boolean => /(^|\/)node_modules\/zod\/(?!.*\/node_modules\/)/.test(path);

/** What is no file (`data:…`) may. */
async function mentions(file: string): Promise<boolean> {
  const text = await readFile(file, 'latin1').catch(() => 'locales');
  return /\blocales\b/.test(text);
}
