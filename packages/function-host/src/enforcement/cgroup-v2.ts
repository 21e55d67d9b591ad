import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { counter, GROUP_PREFIX, membersOf, writeIfThere, type GroupLayout } from './control-groups.js';
import { CPU_PERIOD_US, cpuQuotaUs, MB } from './enforcer.js';
import { ownGroup } from './mounts.js';

/** Control groups v2. Undefined unless the memory and cpu controllers can be had in a subtree that was delegated to us. */
export function cgroupV2(): GroupLayout | undefined {
  const own = ownGroup('unified');
  const parent = own === undefined ? undefined : delegatedSubtree(own);
  if (parent === undefined) return undefined;
  return {
    kind: 'cgroup-v2',
    why: `memory and cpu controllers under ${parent}`,
    parents: [parent],
    limitMemory([folder], memoryMb) {
      writeFileSync(join(folder!, 'memory.max'), String(memoryMb * MB));
      writeIfThere(join(folder!, 'memory.swap.max'), '0');
    },
    limitCpu: ([folder], memoryMb) => writeFileSync(join(folder!, 'cpu.max'), `${cpuQuotaUs(memoryMb)} ${CPU_PERIOD_US}`),
    kills: ([folder]) => counter(join(folder!, 'memory.events'), 'oom_kill'),
  };
}

/**
 * A group that hands its controllers on may hold no process itself. So either the group above us does that already
 * (systemd's `DelegateSubgroup=`), or we are alone in our group and step down into a leaf of it.
 */
function delegatedSubtree(own: string): string | undefined {
  if (handsOn(dirname(own))) return dirname(own);
  if (handsOn(own)) return own;
  if (membersOf(own).some((pid) => pid !== process.pid)) return undefined;
  const leaf = join(own, `${GROUP_PREFIX}host`);
  try {
    mkdirSync(leaf);
    writeFileSync(join(leaf, 'cgroup.procs'), String(process.pid));
    writeFileSync(join(own, 'cgroup.subtree_control'), '+memory +cpu');
    return own;
  } catch {
    stepBack(own, leaf);
    return undefined;
  }
}

function handsOn(folder: string): boolean {
  try {
    const controllers = readFileSync(join(folder, 'cgroup.subtree_control'), 'latin1').trim().split(' ');
    return controllers.includes('memory') && controllers.includes('cpu');
  } catch {
    return false;
  }
}

function stepBack(own: string, leaf: string): void {
  try {
    writeFileSync(join(own, 'cgroup.procs'), String(process.pid));
    rmdirSync(leaf);
  } catch {
    // Nothing was made, or it may not be undone: the leaf limits nothing.
  }
}
