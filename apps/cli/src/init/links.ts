import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * `file:` links to packages of this checkout. AutoFlow's own are not published; the others are linked too, so that there is one zod: a
 * schema of another copy would not be ours.
 */
export function links(...names: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(names.map((name) => [name, `file:${folderOf(name)}`]));
}

function folderOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const found = real(join(folder, name));
    if (found !== undefined) return found;
  }
  throw new Error(`${name} is not installed in this checkout of AutoFlow: run npm install there`);
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
