import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cache } from './folders.mjs';
import { say } from './progress.mjs';

/** Runs `work` while no other process of this user runs work of the same name; waits, and says so, until it may. */
export async function exclusively(name, work) {
  const folder = join(cache, 'locks');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(markOf(process.pid)));
  try {
    for (let told = false; !linked(own, file); await delay(200)) {
      const content = readIfThere(file);
      if (content === undefined) continue;
      if (!isAlive(content)) removeStale(file, content);
      else if (!told) told = say(`waiting for another setup (process ${JSON.parse(content).pid})`) ?? true;
    }
  } finally {
    rmSync(own, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Moves the lock away and looks at what was moved: another process may have taken the stale lock over in between. */
function removeStale(file, stale) {
  const moved = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, moved);
  } catch {
    return;
  }
  if (readIfThere(moved) !== stale) linked(moved, file);
  rmSync(moved, { force: true });
}

function linked(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(content) {
  const { pid, began } = JSON.parse(content);
  try {
    process.kill(pid, 0);
    return markOf(pid).began === began;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** On Linux with the time the process began, because its id may be given again; elsewhere the id must do. */
function markOf(pid) {
  if (process.platform !== 'linux') return { pid };
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return { pid, began: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] };
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
