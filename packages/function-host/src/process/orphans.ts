import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { killProcess } from '../enforcement/enforcer.js';

/** As `programFile` names the program, and then the host that started it. */
const INSTANCE = /\/\.programs\/instance-main-[0-9a-f]+\.cjs\0(\d+)\0$/;

/**
 * Ends the instances, of whatever host, that have outlived it, and answers their process ids: a killed host's instance ends by itself
 * unless a handler holds its thread. Linux; elsewhere there is no telling.
 */
export function endOrphans(): number[] {
  return processes().filter((pid) => {
    try {
      const host = INSTANCE.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))?.[1];
      if (host === undefined || Number(host) === parentOf(pid) || !isOfOurNamespace(pid)) return false;
      killProcess(pid);
      return true;
    } catch {
      return false; // Gone meanwhile, or another user's.
    }
  });
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** `12 (a name) S 1 …`: the name may hold anything. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Elsewhere its host has another number than it knows itself by. */
const isOfOurNamespace = (pid: number): boolean => readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid');
