import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@autoflow/topology/hash';
import { build, version } from 'esbuild';
import { keptCode, type MadeCode } from './kept-code.js';
import { writeAtomically } from './release/write-atomically.js';

export type Program = 'instance/main' | 'release/inspect';

const THIS = fileURLToPath(import.meta.url);

/** Whether this file runs as TypeScript (tests): then its neighbours do too. */
const fromSource = THIS.endsWith('.ts');

/** Conditions under which modules are resolved in bundles, as they were for this one. */
export const bundleConditions: readonly string[] = fromSource ? ['autoflow-source'] : [];

/** Where package managers let tools keep what can be made again. */
const KEPT = fileURLToPath(new URL('../node_modules/.cache/autoflow', import.meta.url));

const written = new Map<string, Promise<string>>();

/**
 * Path of one of our child programs as a single file, made when its sources are not as they were: one file starts about twice as fast
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
  const name = program.replace('/', '-');
  const kept = join(KEPT, `${name}-${fromSource ? 'source' : 'dist'}-${version}.json`);
  const code = await keptCode(kept, () => bundled(program));
  const file = join(folder, '.programs', `${name}-${sha256(code).slice(0, 16)}.cjs`);
  await access(file).catch(() => writeAtomically(file, code));
  return file;
}

async function bundled(program: Program): Promise<MadeCode> {
  const { outputFiles, metafile } = await build({
    entryPoints: [resolve(THIS, `../${program}.${fromSource ? 'ts' : 'js'}`)],
    absWorkingDir: resolve('/'),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    conditions: [...bundleConditions],
    minifyWhitespace: true,
    logLevel: 'silent',
    external: ['pg-native'],
  });
  return { code: outputFiles[0]!.text, sources: [THIS, ...Object.keys(metafile.inputs).map((path) => resolve('/', path))] };
}
