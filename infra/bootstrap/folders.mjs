import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of this user, shared by all checkouts (the local stack looks in the same place). */
export const cache = join(cacheBase(), 'autoflow');

/** Names this checkout among others. */
export const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12);

/** What has been done inside node_modules; goes away together with it. */
export const stamps = {
  read(name) {
    const file = stampFile(name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  },
  write(name, content) {
    mkdirSync(dirname(stampFile(name)), { recursive: true });
    writeFileSync(stampFile(name), content);
  },
  remove(name) {
    rmSync(stampFile(name), { force: true });
  },
};

/** The folder of an installed package, found without resolving it: its entry file may not load yet. */
export function packageFolder(name) {
  return join(root, 'node_modules', name);
}

export function packageVersion(name) {
  return JSON.parse(readFileSync(join(packageFolder(name), 'package.json'), 'utf8')).version;
}

function stampFile(name) {
  return join(root, 'node_modules', '.cache', 'autoflow', name);
}

function cacheBase() {
  const base = process.env.XDG_CACHE_HOME;
  return base && isAbsolute(base) ? base : join(homedir(), '.cache');
}
