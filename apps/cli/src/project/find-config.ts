import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { usage } from '../errors.js';

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((extension) => `autoflow.config.${extension}`);

/** The file that was named, or the nearest `autoflow.config.*` in this folder and those above it. */
export function findConfig(named: string | undefined, folder = process.cwd()): string | undefined {
  if (named !== undefined) {
    if (!existsSync(named)) throw usage(`There is no file ${resolve(named)}. --config names an autoflow.config.ts.`);
    return resolve(named);
  }
  const found = NAMES.map((name) => join(folder, name)).find((file) => existsSync(file));
  return found ?? (dirname(folder) === folder ? undefined : findConfig(undefined, dirname(folder)));
}
