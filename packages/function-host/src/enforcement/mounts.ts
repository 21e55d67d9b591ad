import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Folder of this process's own group in one hierarchy: controller `memory` or `cpu` of v1, or `unified` for v2. */
export function ownGroup(hierarchy: 'memory' | 'cpu' | 'unified'): string | undefined {
  const mount = readLines('/proc/self/mountinfo')
    .map(parseMount)
    .find((each) => each?.hierarchies.includes(hierarchy));
  const path = readLines('/proc/self/cgroup')
    .map(parseMembership)
    .find((each) => each.hierarchies.includes(hierarchy))?.path;
  if (mount === undefined || path === undefined) return undefined;
  // In a container the mount shows a part of the tree only: the path counts from the root of what is mounted.
  const inside = join(mount.folder, relative(mount.root, path));
  return existsSync(inside) ? inside : mount.folder;
}

interface Mount {
  readonly folder: string;
  readonly root: string;
  readonly hierarchies: readonly string[];
}

/** `36 25 0:31 /root /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct` */
function parseMount(line: string): Mount | undefined {
  const [place = '', source = ''] = line.split(' - ');
  const [, , , root = '/', folder = ''] = place.split(' ');
  const [type, , options = ''] = source.split(' ');
  if (type === 'cgroup2') return { folder, root, hierarchies: ['unified'] };
  return type === 'cgroup' ? { folder, root, hierarchies: options.split(',') } : undefined;
}

/** `4:memory:/a/b`, for v2 `0::/a/b`. */
function parseMembership(line: string): { hierarchies: readonly string[]; path: string } {
  const [id, names = '', ...path] = line.split(':');
  return { hierarchies: id === '0' && names === '' ? ['unified'] : names.split(','), path: path.join(':') };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
