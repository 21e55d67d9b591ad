import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { usage } from '../errors.js';

const require = createRequire(import.meta.url);

/**
 * The file of a module that a user names: a path, or the name of an example that comes with AutoFlow (`retail-orders`). `part` is the
 * entry of the example: its pipeline alone (what is deployed), or all of it (with samples and fakes).
 */
export function locateModule(name: string, part: 'pipeline' | 'all'): string {
  const found = findModule(name, part);
  if (found === undefined)
    throw usage(
      `There is no module ${name}. Give the path of the file that exports the pipeline, or the name of an example: retail-orders.`,
    );
  return found;
}

export function findModule(name: string, part: 'pipeline' | 'all'): string | undefined {
  const path = resolve(name);
  if (/\.[cm]?[jt]s$/.test(name)) return existsSync(path) ? path : undefined;
  try {
    return require.resolve(`@autoflow/${name}${part === 'pipeline' ? '/pipeline' : ''}`);
  } catch {
    return undefined;
  }
}
