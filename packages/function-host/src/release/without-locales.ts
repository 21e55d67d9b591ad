import { join } from 'node:path';
import type { Plugin } from 'esbuild';

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
    // In the place of zod's own file, and with a member: so it is known as code of a library.
    build.onLoad({ filter: /[\\/]locales[\\/]index\.js$/ }, ({ suffix }) =>
      suffix === NONE ? { contents: 'export const none = {};' } : undefined,
    );
  },
};

const NONE = '?none';

/** Whether anything in a bundle without locales names them, but the namespace of zod that they are a member of. */
export function mentionsLocales(code: Uint8Array): boolean {
  const text = Buffer.from(code).toString('latin1');
  return /\blocales\b/.test(text.replaceAll(/\blocales:\(\)=>/g, ''));
}
