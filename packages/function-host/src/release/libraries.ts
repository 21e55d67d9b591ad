import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { sha256 } from '@autoflow/topology/hash';

/** What their code does to what it is given is known: nothing. */
export const LIBRARIES = ['zod', '@autoflow/pipeline'] as const;

const require = createRequire(import.meta.url);
/** Our own definition language; a project may reach it by a link or have a copy of its own. */
const DEFINITIONS = dirname(dirname(require.resolve('@autoflow/pipeline'))) + sep;
const LIBRARY = /[\\/]node_modules[\\/](zod|@autoflow[\\/]pipeline)[\\/]/;

/** Of those of the sources of a bundle that belong to the libraries, wherever they lie. What was put in the place of a source is none. */
export async function hashLibraries(sources: readonly string[]): Promise<string> {
  const files = sources.filter((file) => (file.startsWith(DEFINITIONS) || LIBRARY.test(file)) && !file.includes('?'));
  const hashes = await Promise.all(files.map(async (file) => sha256(await readFile(file))));
  return sha256(hashes.sort().join('\n'));
}

/** Whether a module is imported from one of them. */
export const isLibrary = (specifier: string): boolean => LIBRARIES.some((name) => specifier === name || specifier.startsWith(`${name}/`));
