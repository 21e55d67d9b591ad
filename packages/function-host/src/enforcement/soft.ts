import { readFileSync } from 'node:fs';
import { killProcess, MB, type Confinement, type Enforcer, type Log } from './enforcer.js';

const EVERY_MS = 100;
const PAGE_BYTES = 4096;

/**
 * Kills a process whose resident memory is seen above its limit, looking every 100 ms: it can be exceeded for a moment,
 * and CPU is not limited. Used where no control group can be written.
 */
export function softEnforcer(why: string, log: Log): Enforcer {
  const watched = new Map<number, { limitMb: number; exceeded: boolean }>();
  const look = (): void => {
    for (const [pid, watch] of watched) {
      if (watch.exceeded || residentMb(pid) <= watch.limitMb) continue;
      watch.exceeded = true;
      try {
        killProcess(pid);
      } catch (error) {
        log('warn', `process ${pid} exceeds its memory, and cannot be ended: ${(error as Error).message}`);
      }
    }
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    kind: 'soft',
    cpuFollowsMemory: false,
    why,
    confine(pid, limitMb): Confinement {
      const watch = { limitMb, exceeded: false };
      watched.set(pid, watch);
      timer ??= setInterval(look, EVERY_MS).unref();
      return {
        throttle: () => {},
        ranOutOfMemory: () => watch.exceeded,
        kill: () => killProcess(pid),
        release: () => void watched.delete(pid),
      };
    },
    close: () => clearInterval(timer),
  };
}

/** Resident memory of a process in MB; 0 when it is gone, or on a system without /proc. */
export function residentMb(pid: number): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES) / MB;
  } catch {
    return 0;
  }
}
