import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { sha256 } from '@autoflow/topology/hash';
import type { Bundle } from '../bundle.js';

type Inputs = Bundle['inputs'];

/** The packages that a project's own code imports, by the names that it imports them by. */
export interface Packages {
  has(specifier: string): boolean;
  /** Itself, and the packages that have a file in common with it: what one of them sets up when it loads or is called, the other may notice. */
  kinOf(specifier: string): readonly string[];
  /** Hash (SHA-256, hex) of all files that come with these and with their kin: what is in them, and which imports which. */
  hashOf(specifiers: Iterable<string>): string;
}

/** Of what is in a bundle, all that `own` leaves out. */
export async function readPackages(entry: string, inputs: Inputs, own: Inputs): Promise<Packages> {
  const files = new Map([...rootsOf(inputs, own)].map(([specifier, roots]) => [specifier, filesFrom(roots, inputs)]));
  const contents = await contentsOf(new Set([...files.values()].flatMap((each) => [...each])), dirname(entry));
  const hashes = new Map([...files].map(([specifier, each]) => [specifier, hashFiles(each, inputs, contents)]));
  const kin = kinIn(files);
  const kinOf = (specifier: string): readonly string[] => kin.get(specifier) ?? [specifier];
  return {
    has: (specifier) => files.has(specifier),
    kinOf,
    hashOf(specifiers) {
      const all = new Set([...specifiers].flatMap(kinOf));
      return sha256(
        [...all]
          .sort()
          .flatMap((each) => (files.has(each) ? [`${each} ${hashes.get(each)}`] : []))
          .join('\n'),
      );
    },
  };
}

/** By specifier, the files that it means. They are two where one is for `import` and one for `require`. */
function rootsOf(inputs: Inputs, own: Inputs): Map<string, Set<string>> {
  const roots = new Map<string, Set<string>>();
  for (const path of Object.keys(own)) {
    for (const { path: imported, original } of inputs[path]?.imports ?? []) {
      if (original === undefined || imported in own || !(imported in inputs)) continue;
      roots.set(original, (roots.get(original) ?? new Set()).add(imported));
    }
  }
  return roots;
}

/** All that is imported from these on, in the order in which it is met: it does not depend on where anything lies. */
function filesFrom(roots: Iterable<string>, inputs: Inputs): ReadonlySet<string> {
  const files = new Set<string>();
  const add = (path: string): void => {
    if (files.has(path) || !(path in inputs)) return;
    files.add(path);
    for (const each of inputs[path]!.imports) add(each.path);
  };
  for (const root of roots) add(root);
  return files;
}

async function contentsOf(paths: Iterable<string>, folder: string): Promise<ReadonlyMap<string, string>> {
  // What stands behind a `?` says how a file is read: whoever imports it says so.
  const hashOf = async (path: string): Promise<string> => sha256(await readFile(resolve(folder, path.replace(/\?.*$/, ''))));
  return new Map(await Promise.all([...paths].map(async (path) => [path, await hashOf(path)] as const)));
}

/** A file is known by its place in the order, so that two that change places are not taken for the same. */
function hashFiles(files: ReadonlySet<string>, inputs: Inputs, contents: ReadonlyMap<string, string>): string {
  const places = new Map([...files].map((path, place) => [path, place]));
  const lines = [...files].map((path) => {
    const { format, imports } = inputs[path]!;
    const imported = imports.map(({ path: to, original, kind }) => `${kind} ${original} ${places.get(to)}`);
    return [contents.get(path), format, ...imported].join(' ');
  });
  return sha256(lines.join('\n'));
}

function kinIn(files: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
  const carriers = new Map<string, string[]>();
  for (const [specifier, paths] of files) for (const path of paths) carriers.set(path, [...(carriers.get(path) ?? []), specifier]);
  return new Map([...files].map(([specifier, paths]) => [specifier, [...new Set([...paths].flatMap((path) => carriers.get(path)!))]]));
}
