import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeAtomically } from './release/write-atomically.js';

export type Program = 'instance/main' | 'release/inspect';

/** Whether this file runs as TypeScript (tests): then its neighbours do too. */
const fromSource = import.meta.url.endsWith('.ts');

/** Conditions under which modules are resolved in bundles, as they were for this one. */
export const bundleConditions: readonly string[] = fromSource ? ['autoflow-source'] : [];

const written = new Map<string, Promise<string>>();

/**
 * Path of one of our child programs as a single file, made on first use: one file starts about twice as fast
 * as the hundred modules that it is made of.
 */
export function programFile(program: Program, folder: string): Promise<string> {
  const id = `${folder}\0${program}`;
  const known = written.get(id);
  if (known !== undefined) return known;
  const made = writeProgram(program, folder);
  written.set(id, made);
  made.catch(() => written.delete(id));
  return made;
}

async function writeProgram(program: Program, folder: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`./${program}.${fromSource ? 'ts' : 'js'}`, import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    conditions: [...bundleConditions],
    minifyWhitespace: true,
    logLevel: 'silent',
    external: ['pg-native'],
  });
  const code = outputFiles[0]!.contents;
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const file = join(folder, '.programs', `${program.replace('/', '-')}-${hash}.cjs`);
  await access(file).catch(() => writeAtomically(file, code));
  return file;
}
