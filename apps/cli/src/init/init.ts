import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.js';
import { links } from './links.js';

const TEMPLATE = fileURLToPath(new URL('../../template', import.meta.url));
/** What a folder may hold already. */
const HARMLESS = ['.git', '.gitignore', 'LICENSE', 'README.md'];

export interface NewProject {
  readonly folder: string;
  readonly files: readonly string[];
}

/** Writes a project with one pipeline, its samples and its test. Nothing that is there is overwritten: FOLDER_NOT_EMPTY. */
export function initProject(given: string): NewProject {
  const folder = resolve(given);
  mkdirSync(folder, { recursive: true });
  const there = readdirSync(folder).filter((name) => !HARMLESS.includes(name));
  if (there.length > 0)
    throw new CliError('FOLDER_NOT_EMPTY', `${folder} holds ${there.slice(0, 3).join(', ')} already. Name an empty folder, or a new one.`);
  cpSync(TEMPLATE, folder, { recursive: true, force: false });
  // Of its own, as packers and git would take one in the template for theirs.
  if (!existsSync(join(folder, '.gitignore'))) writeFileSync(join(folder, '.gitignore'), 'node_modules/\n');
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageOf(folder), undefined, 2)}\n`);
  return {
    folder,
    files: ['autoflow.config.ts', 'src/orders.ts', 'src/samples.ts', 'src/orders.test.ts', 'package.json', 'tsconfig.json'],
  };
}

function packageOf(folder: string): object {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return {
    name: name === '' ? 'pipelines' : name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { test: 'vitest run && autoflow test', check: 'tsc && autoflow check', dev: 'autoflow dev', deploy: 'autoflow deploy' },
    dependencies: links('@autoflow/pipeline', 'zod'),
    devDependencies: links('@autoflow/cli', '@types/node', 'typescript', 'vitest'),
  };
}
