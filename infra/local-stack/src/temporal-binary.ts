import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StackError } from './errors.js';
import { cacheFolder } from './folders.js';

/** The version that the bootstrap puts into the cache folder (infra/bootstrap/temporal.mjs names the same). */
const TEMPORAL_CLI_VERSION = 'v1.5.1';

/** The `temporal` command to start a server with: the one on PATH, else the one in the cache folder of this user. */
export function findTemporal(env: NodeJS.ProcessEnv): string {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const found = [...folders.map((folder) => join(folder, 'temporal')), cachedTemporal(env)].find(isExecutable);
  if (found) return found;
  throw new StackError(
    'TEMPORAL_MISSING',
    `No Temporal server: TEMPORAL_ADDRESS is not set, \`temporal\` is not on PATH, and ${cachedTemporal(env)} does not exist. Do one of these:\n` +
      `  1. Install the Temporal CLI (https://docs.temporal.io/cli#install) so that \`temporal\` is on PATH.\n` +
      `  2. Install Go 1.25 or newer and run \`npm run setup\`: it builds the server into the cache folder.\n` +
      `  3. Set TEMPORAL_ADDRESS (or write a temporal.toml) to use a server that runs already.`,
  );
}

/** Where the bootstrap puts it. */
export function cachedTemporal(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
