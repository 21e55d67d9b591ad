import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** SHA-256 over code and models under these folders, and of these files, names and contents; tests and what `except` names are no part of it. */
export async function codeHash(folders: readonly string[], except: RegExp = /^$/, more: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = found
      .filter((file) => file.isFile() && /\.(m?js|json|bin)$/.test(file.name) && !/\.test\.m?js$/.test(file.name))
      .map((file) => relative(folder, join(file.parentPath, file.name)))
      .filter((path) => !except.test(path))
      .sort();
    for (const path of files) hash.update(`${path}\0`).update(await readFile(join(folder, path)));
  }
  for (const file of more) hash.update(`${basename(file)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** What every benchmark of the real stack runs on. */
const SHARED = ['platform', 'worker-process', 'live', 'rates'];

/** All that runs while something is measured: packages, example, control plane, and the benchmark itself without its report; of bundles what they are made from. */
export async function measuringCode(bench: string): Promise<string> {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const packages = (await readdir(join(root, 'packages'))).sort().map((name) => join(root, 'packages', name, 'dist'));
  const models = ['models', 'policies'].map((name) => join(root, 'packages/learning', name));
  const apps = ['retail-orders', 'control-plane'].map((name) => join(root, 'apps', name, 'dist'));
  const own = ['cells', bench].map((name) => join(root, 'test/dist/bench', name));
  const shared = SHARED.map((name) => join(root, 'test/dist/bench', `${name}.js`));
  return codeHash([...packages, ...models, ...apps, ...own], /(^|\/)((report|testing)\/|workflow-bundle\.)/, shared);
}
