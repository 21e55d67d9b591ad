import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { counter, writeIfThere, type GroupLayout } from './control-groups.js';
import { CPU_PERIOD_US, cpuQuotaUs, MB } from './enforcer.js';
import { ownGroup } from './mounts.js';

/** Control groups v1: a memory and a cpu hierarchy, each with its own folder for a group. Undefined where one is not mounted. */
export function cgroupV1(): GroupLayout | undefined {
  const memory = ownGroup('memory');
  const cpu = ownGroup('cpu');
  if (memory === undefined || cpu === undefined) return undefined;
  return {
    kind: 'cgroup-v1',
    why: `memory and cpu groups under ${memory} and ${cpu}`,
    parents: [memory, cpu],
    limitMemory([folder], memoryMb) {
      writeFileSync(join(folder!, 'memory.limit_in_bytes'), String(memoryMb * MB));
      writeIfThere(join(folder!, 'memory.memsw.limit_in_bytes'), String(memoryMb * MB));
    },
    limitCpu([, folder], memoryMb) {
      writeFileSync(join(folder!, 'cpu.cfs_period_us'), String(CPU_PERIOD_US));
      writeFileSync(join(folder!, 'cpu.cfs_quota_us'), String(cpuQuotaUs(memoryMb)));
    },
    kills: ([folder]) => counter(join(folder!, 'memory.oom_control'), 'oom_kill'),
  };
}
