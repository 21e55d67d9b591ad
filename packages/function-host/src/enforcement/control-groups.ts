import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killProcess, type Confinement, type Enforcer } from './enforcer.js';

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
export function groupEnforcer(layout: GroupLayout): Enforcer {
  return {
    kind: layout.kind,
    cpuFollowsMemory: true,
    why: layout.why,
    confine(pid, memoryMb): Confinement {
      const group = makeGroup(layout.parents, `${GROUP_PREFIX}${process.pid}-${++made}`);
      layout.limitMemory(group, memoryMb);
      for (const folder of group) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      return {
        throttle: () => layout.limitCpu(group, memoryMb),
        ranOutOfMemory: () => layout.kills(group) > 0,
        kill: () => {
          killProcess(pid);
          killMembers(group);
        },
        release: () => removeGroup(group),
      };
    },
    close: () => {},
  };
}

export const GROUP_PREFIX = 'autoflow-';

/** Removes the groups of hosts that were killed before they could, and ends what still runs in them. */
export function sweepGroups(parents: readonly string[]): void {
  for (const parent of parents) {
    for (const name of readdirSync(parent)) {
      const host = /^autoflow-(\d+)-\d+$/.exec(name)?.[1];
      if (host !== undefined && !existsSync(`/proc/${host}`)) removeGroup([join(parent, name)]);
    }
  }
}

export function makeGroup(parents: readonly string[], name: string): string[] {
  const group = parents.map((parent) => join(parent, name));
  for (const folder of group) mkdirSync(folder);
  return group;
}

/** Members that outlive the process (its own children) are ended; the folder goes when the kernel has reaped them. */
export function removeGroup(group: readonly string[], attemptsLeft = 50): void {
  try {
    for (const folder of group) removeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || attemptsLeft === 0) throw error;
    killMembers(group);
    setTimeout(() => removeGroup(group, attemptsLeft - 1), 20).unref();
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function killMembers(group: readonly string[]): void {
  for (const pid of membersOf(group[0]!)) killProcess(pid);
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
