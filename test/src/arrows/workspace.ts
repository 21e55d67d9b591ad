import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { importsOf, type Import } from './imports.js';

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
}
export interface Member {
  /** `packages/store` */
  readonly folder: string;
  /** `@autoflow/store` */
  readonly name: string;
  /** Subpath (`.`, `./testing`) to source file, from the root of the repository. */
  readonly exports: ReadonlyMap<string, string>;
  readonly dependencies: readonly string[];
  readonly files: readonly SourceFile[];
}

/** All workspace members with their TypeScript sources. */
export function readWorkspace(root: string): Member[] {
  const folders = ['packages', 'apps', 'infra'].flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`));
  return [...folders, 'test'].filter((folder) => existsSync(join(root, folder, 'package.json'))).map((folder) => readMember(root, folder));
}

function readMember(root: string, folder: string): Member {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly exports?: { readonly [subpath: string]: { readonly 'autoflow-source'?: string } };
    readonly dependencies?: object;
    readonly devDependencies?: object;
  };
  const exports = Object.entries(manifest.exports ?? {}).map(
    ([subpath, target]) => [subpath, join(folder, target['autoflow-source'] ?? '')] as const,
  );
  return {
    folder,
    name: manifest.name,
    exports: new Map(exports),
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
    files: sourcesUnder(join(root, folder, 'src')).map((path) => ({
      path: relative(root, path).split(sep).join('/'),
      imports: importsOf(path, readFileSync(path, 'utf8')),
    })),
  };
}

function sourcesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Where an import leads: a file of the workspace, or a module outside it. A subpath that is not exported leads nowhere. */
export function target(members: readonly Member[], from: string, specifier: string): { file?: string; member?: Member; module?: string } {
  if (specifier.startsWith('.')) return { file: relative('/', resolve('/', dirname(from), specifier)).replace(/\.js$/, '.ts') };
  const [scope, name, ...rest] = specifier.split('/');
  const member = members.find((one) => one.name === `${scope ?? ''}/${name ?? ''}`);
  if (!member) return { module: specifier };
  const file = member.exports.get(['.', ...rest].join('/'));
  return file === undefined ? { member } : { member, file };
}

/** The modules from outside that running `entry` loads, each with the first chain of files that leads to it; types load nothing. */
export function loadedBy(members: readonly Member[], entry: string): Map<string, readonly string[]> {
  const files = new Map(members.flatMap((member) => member.files.map((file) => [file.path, file])));
  const modules = new Map<string, readonly string[]>();
  const chains = new Map([[entry, [entry] as readonly string[]]]);
  for (const [path, chain] of chains) {
    for (const { specifier, typeOnly } of files.get(path)?.imports ?? []) {
      if (typeOnly) continue;
      const { file, module } = target(members, path, specifier);
      if (module !== undefined && !modules.has(module)) modules.set(module, [...chain, module]);
      if (file !== undefined && !chains.has(file)) chains.set(file, [...chain, file]);
    }
  }
  return modules;
}
