import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './commands.mjs';
import { root, stamps } from './folders.mjs';
import { step } from './progress.mjs';

/** nx builds what has changed; asking it costs a second, so it is asked only when some source file is not as it was. */
export const build = {
  done: () => stamps.read('build') === sources() + results(),
  async run() {
    const before = sources();
    await step('building', async () => {
      for (const target of ['build', 'bundle'])
        await run(join(root, 'node_modules', '.bin', 'nx'), ['run-many', '-t', target], { cwd: root, env: NX });
    });
    stamps.write('build', before === sources() ? before + results() : 'the sources changed while they were built');
  },
};

const NX = { NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', NX_INTERACTIVE: 'false', FORCE_COLOR: '0' };

/** Name, size and time of every file that a build reads. */
function sources() {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'infra/typescript/base.json']) add(hash, join(root, file));
  for (const folder of workspaces()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isFile()) add(hash, join(folder, entry.name));
    if (existsSync(join(folder, 'src'))) for (const file of filesIn(join(folder, 'src'))) add(hash, file);
  }
  return hash.digest('hex');
}

/** Which workspaces have been built: somebody may remove a result. */
function results() {
  return workspaces()
    .map((folder) => (existsSync(join(folder, 'dist')) ? '+' : '-'))
    .join('');
}

function workspaces() {
  const { workspaces: patterns } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return patterns.flatMap(foldersOf).filter((folder) => existsSync(join(folder, 'package.json')));
}

function foldersOf(pattern) {
  if (!pattern.endsWith('/*')) return [join(root, pattern)];
  const parent = join(root, pattern.slice(0, -2));
  return readdirSync(parent)
    .sort()
    .map((name) => join(parent, name));
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function add(hash, file) {
  const { size, mtimeMs } = statSync(file);
  hash.update(`${file} ${size} ${mtimeMs}\n`);
}
