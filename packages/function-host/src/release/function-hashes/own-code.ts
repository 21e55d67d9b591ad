import { bundleWithout, type Bundle } from '../bundle.js';
import { readPackages, type Packages } from './packages.js';

export interface OwnCode {
  /** The bundle without the packages that it imports: a tenth of it, mostly, and what a deploy changes. */
  readonly code: Uint8Array;
  /** What it imports. */
  readonly packages: Packages;
}

/** What their code does to what it is given is known: nothing. */
const LIBRARIES = ['zod', '@autoflow/pipeline'];

/** Whether a module is imported from one of them. */
export const isLibrary = (specifier: string): boolean => LIBRARIES.some((name) => specifier === name || specifier.startsWith(`${name}/`));

/** What a project links (a workspace) is its own; what was installed is not, nor is our definition language, linked or not. */
export async function ownCode({ entry, inputs }: Bundle): Promise<OwnCode> {
  const imported = Object.entries(inputs)
    .filter(([path]) => !isInstalled(path))
    .flatMap(([, { imports }]) => imports.filter(({ path, original }) => isInstalled(path) && original !== undefined && isBare(original)))
    .map(({ original }) => original!);
  const own = await bundleWithout([...LIBRARIES, ...new Set(imported)], entry);
  return { code: own.code, packages: await readPackages(entry, inputs, own.inputs) };
}

const isInstalled = (path: string): boolean => /(^|\/)node_modules\//.test(path);
const isBare = (specifier: string): boolean => !/^[./]/.test(specifier);
