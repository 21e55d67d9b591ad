import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, markOf, type ProcessMark } from './processes.js';

export type Lock = { readonly held: true; release(): void } | { readonly held: false; readonly by: ProcessMark };

/**
 * Takes `file` as a lock for this process, or says which living process has it. A lock whose process is gone is
 * taken over. Atomic on one machine: the lock appears together with its content.
 */
export function takeLock(file: string): Lock {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(markOf(process.pid)));
  try {
    for (;;) {
      if (linked(own, file)) return { held: true, release: () => rmSync(file, { force: true }) };
      const content = readIfThere(file);
      if (content === undefined) continue;
      const by = JSON.parse(content) as ProcessMark;
      if (isAlive(by)) return { held: false, by };
      removeStale(file, content);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves the lock away and looks at what was moved: another process may have taken the stale lock over in between. */
function removeStale(file: string, stale: string): void {
  const moved = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, moved);
  } catch {
    return;
  }
  if (readIfThere(moved) !== stale) linked(moved, file);
  rmSync(moved, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
