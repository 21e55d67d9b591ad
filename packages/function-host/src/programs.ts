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

interface Made {
  readonly name: string;
  readonly code: string;
}
const programs = new Map<Program, Promise<Made>>();

/**
 * Path of one of our child programs as a single file, made when its sources are not as they were: one file starts about twice as fast
 * as the hundred modules that it is made of. It is there whoever has cleared the folder meanwhile.
 */
export async function programFile(program: Program, folder: string): Promise<string> {
  const { name, code } = await madeOnce(program);
  const file = join(folder, '.programs', name);
  await access(file).catch(() => writeAtomically(file, code));
  return file;
}

function madeOnce(program: Program): Promise<Made> {
  const known = programs.get(program);
  if (known !== undefined) return known;
  const made = make(program);
  programs.set(program, made);
  made.catch(() => programs.delete(program));
  return made;
}

async function make(program: Program): Promise<Made> {
  const name = program.replace('/', '-');
  const kept = join(KEPT, `${name}-${fromSource ? 'source' : 'dist'}-${version}.json`);
  const code = await keptCode(kept, () => bundled(program));
  return { name: `${name}-${sha256(code).slice(0, 16)}.cjs`, code };
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
