import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { writeAtomically } from './release/write-atomically.js';

export interface MadeCode {
  readonly code: string;
  /** Paths of the files that it was made of. */
  readonly sources: readonly string[];
}

/** As it is written. */
interface Kept {
  readonly code: string;
  /** By path, relative to the folder of the file that keeps it: they may be moved together. */
  readonly sources: { readonly [path: string]: string };
}

/** A source that was written so shortly before the making may have been written during it: the clock of a file system goes in steps. */
const UNSURE_MS = 100;

/**
 * Answers what `make` makes of its sources, and makes it only when one of them is not as it was: what was made is kept in `file`. Any number of
 * processes may do so at once. Where it cannot be kept (a folder that is read only), it is made each time.
 */
export async function keptCode(file: string, make: () => Promise<MadeCode>, unsureMs = UNSURE_MS): Promise<string> {
  const kept = await stillGood(file);
  if (kept !== undefined) return kept;
  const sureBefore = Date.now() - unsureMs;
  const { code, sources } = await make();
  if (sources.every((path) => (changedAt(path) ?? Infinity) < sureBefore)) {
    const stamps = Object.fromEntries(sources.map((path) => [relative(dirname(file), path), stampOf(path)!]));
    await writeAtomically(file, JSON.stringify({ code, sources: stamps } satisfies Kept)).catch(() => {});
  }
  return code;
}

/** Undefined as well for what is not there, or cannot be read. */
async function stillGood(file: string): Promise<string | undefined> {
  try {
    const { code, sources } = JSON.parse(await readFile(file, 'utf8')) as Kept;
    return Object.entries(sources).every(([path, stamp]) => stampOf(resolve(dirname(file), path)) === stamp) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever is done to a file changes it; the time of its content can be set back, as package managers do. */
function stampOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.size} ${stat.ctimeMs}`;
}

const changedAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ctimeMs;
