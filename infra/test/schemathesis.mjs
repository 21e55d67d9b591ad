import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, run } from '../bootstrap/commands.mjs';
import { cache } from '../bootstrap/folders.mjs';
import { exclusively } from '../bootstrap/lock.mjs';

const VERSION = '4.32.5';
const folder = join(cache, `schemathesis-${VERSION}`);

/** The `schemathesis` command, installed into the cache folder on first use; undefined without Python ≥ 3.10. */
export async function schemathesis() {
  const command = join(folder, 'bin', 'schemathesis');
  const python = onPath('python3');
  if (existsSync(join(folder, 'installed'))) return command;
  if (python === undefined || !(await isNew(python))) return undefined;
  await exclusively(`schemathesis-${VERSION}`, async () => {
    if (existsSync(join(folder, 'installed'))) return;
    rmSync(folder, { recursive: true, force: true });
    console.log(`installing schemathesis ${VERSION} into ${folder}`);
    await run(python, ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]);
    mkdirSync(join(folder, 'installing'));
    renameSync(join(folder, 'installing'), join(folder, 'installed'));
  });
  return command;
}

async function isNew(python) {
  const [major, minor] = (await run(python, ['-c', 'import sys; print(*sys.version_info[:2])'])).trim().split(' ').map(Number);
  return major === 3 && minor >= 10;
}
