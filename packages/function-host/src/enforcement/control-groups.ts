import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killProcess, type Confinement, type Enforcer, type Log } from './enforcer.js';

/** What differs between the two generations of control groups. A group is one folder per hierarchy. */
export interface GroupLayout {
  readonly kind: 'cgroup-v1' | 'cgroup-v2';
  readonly why: string;
  /** Folders in which a group is made: one (v2), or memory and cpu (v1). */
  readonly parents: readonly string[];
  limitMemory(group: readonly string[], memoryMb: number): void;
  limitCpu(group: readonly string[], memoryMb: number): void;
  /** Kills of the group by the kernel for lack of memory. */
  kills(group: readonly string[]): number;
}

let made = 0;

/** The kernel holds the process, and whatever it starts, to its memory and CPU share. */
export function groupEnforcer(layout: GroupLayout, log: Log): Enforcer {
  return {
    kind: layout.kind,
    cpuFollowsMemory: true,
    why: layout.why,
    confine(pid, memoryMb): Confinement {
      const group = makeGroup(layout.parents, `${GROUP_PREFIX}${process.pid}-${++made}`);
      try {
        layout.limitMemory(group, memoryMb);
        for (const folder of group) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      } catch (error) {
        removeGroup(group, log);
        throw error;
      }
      return {
        throttle: () => layout.limitCpu(group, memoryMb),
        ranOutOfMemory: () => layout.kills(group) > 0,
        kill: () => {
          killProcess(pid);
          killMembers(group);
        },
        release: () => removeGroup(group, log),
      };
    },
    close: () => {},
  };
}

export const GROUP_PREFIX = 'autoflow-';

/** Removes the groups of hosts that were killed before they could, and ends what still runs in them. */
export function sweepGroups(parents: readonly string[], log: Log): void {
  for (const parent of parents) {
    for (const name of readdirSync(parent)) {
      const host = /^autoflow-(\d+)-\d+$/.exec(name)?.[1];
      if (host !== undefined && !existsSync(`/proc/${host}`)) removeGroup([join(parent, name)], log);
    }
  }
}

export function makeGroup(parents: readonly string[], name: string): string[] {
  const group = parents.map((parent) => join(parent, name));
  try {
    for (const folder of group) mkdirSync(folder);
  } catch (error) {
    removeGroup(group, () => {}); // Those that were made hold nothing yet.
    throw error;
  }
  return group;
}

const REMOVAL_WAITS_MS = [...Array.from({ length: 50 }, () => 20), ...Array.from({ length: 30 }, () => 1_000)];

/**
 * Members that outlive the process (its own children) are ended; the folder goes when the kernel has reaped them.
 * Never throws: what stays in the way for half a minute is logged, and left to the next host to start here.
 */
export function removeGroup(group: readonly string[], log: Log, waitsMs: readonly number[] = REMOVAL_WAITS_MS): void {
  try {
    for (const folder of group) removeFolder(folder);
  } catch (error) {
    killMembers(group);
    const [waitMs, ...later] = waitsMs;
    if (waitMs === undefined) log('warn', `a control group stays behind: ${(error as Error).message}`);
    else setTimeout(() => removeGroup(group, log, later), waitMs).unref();
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** One that may not be killed is seen when the group cannot be removed. */
export function killMembers(group: readonly string[]): void {
  for (const pid of membersOf(group[0]!)) {
    // A member outside of our pid namespace is listed as 0, and a signal to 0 is one to ourselves.
    if (pid <= 0) continue;
    try {
      killProcess(pid);
    } catch {
      continue;
    }
  }
}

export function membersOf(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The number after a word in files such as `memory.events`; 0 when there is none. */
export function counter(file: string, name: string): number {
  const line = readFileSync(file, 'latin1')
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** Writes a setting that a kernel may not have. */
export function writeIfThere(file: string, value: string): void {
  try {
    writeFileSync(file, value, { flag: 'r+' });
  } catch {
    // Without swap accounting there is no such file: then memory alone is limited.
  }
}
