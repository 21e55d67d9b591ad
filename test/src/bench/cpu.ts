/** CPU time of whole process trees, read from /proc: what a server, a database and a worker burn together. */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of the process and of its children that ended and were waited for. */
  readonly cpuMs: number;
}

/** Milliseconds of CPU used so far by the trees under `roots`, ended children included (they count from when they are reaped). */
export function treeCpuMs(roots: readonly number[]): number {
  const all = processes();
  const wanted = new Set(roots);
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parent } of all)
      if (wanted.has(parent) && !wanted.has(pid)) {
        wanted.add(pid);
        grown = true;
      }
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Pids of the live children of a process whose command line contains `text`. */
export function childrenOf(pid: number, text: string): number[] {
  return processes()
    .filter((process) => process.parent === pid && commandOf(process.pid).includes(text))
    .map((child) => child.pid);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // ended in between
  }
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)));
}

function readProcess(pid: number): Process[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [utime, stime, cutime, cstime] = fields.slice(11, 15) as [number, number, number, number];
    return [{ pid, parent: fields[1]!, cpuMs: (utime + stime + cutime + cstime) * TICK_MS }];
  } catch {
    return []; // ended between the listing and the reading
  }
}
