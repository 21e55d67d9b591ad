import type { Enforcement } from '@autoflow/store';
import { cgroupV1 } from './cgroup-v1.js';
import { cgroupV2 } from './cgroup-v2.js';
import { GROUP_PREFIX, groupEnforcer, makeGroup, removeGroup, sweepGroups, type GroupLayout } from './control-groups.js';
import type { Enforcer, Log } from './enforcer.js';
import { softEnforcer } from './soft.js';

/** The hardest enforcement that works here, proven by making a group: control groups v2, then v1, then watching. */
export function createEnforcer(wanted: Enforcement | 'detect' = 'detect', log: Log = () => {}): Enforcer {
  if (wanted === 'soft') return softEnforcer('soft limits were asked for', log);
  const refusals: string[] = [];
  for (const [kind, layoutOf] of [
    ['cgroup-v2', cgroupV2],
    ['cgroup-v1', cgroupV1],
  ] as const) {
    if (wanted !== 'detect' && wanted !== kind) continue;
    const layout = layoutOf();
    const refusal = layout === undefined ? 'no memory and cpu controllers that this process may use' : refusalOf(layout);
    if (layout !== undefined && refusal === undefined) {
      sweepGroups(layout.parents, log);
      return groupEnforcer(layout, log);
    }
    refusals.push(`${kind}: ${refusal}`);
  }
  const why = refusals.join('; ');
  if (wanted !== 'detect') throw new Error(`Limits by ${wanted} were asked for, but cannot be had here (${why}). Use 'detect' or 'soft'.`);
  return softEnforcer(process.platform === 'linux' ? why : `${process.platform} has no control groups; only the heap is limited`, log);
}

function refusalOf(layout: GroupLayout): string | undefined {
  let group: string[] | undefined;
  try {
    group = makeGroup(layout.parents, `${GROUP_PREFIX}probe-${process.pid}`);
    layout.limitMemory(group, 128);
    layout.limitCpu(group, 128);
    layout.kills(group);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    if (group !== undefined) removeGroup(group, () => {});
  }
}
