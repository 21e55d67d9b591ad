import { fileURLToPath } from 'node:url';

const NO_FILE = fileURLToPath(new URL('./no-temporal.toml', import.meta.url));

/**
 * Takes out of `env` everything by which a user names servers (Temporal's own variables and file, DATABASE_URL): tests
 * create and drop databases and end workflows, so they run on servers of their own and never on a user's.
 */
export function forgetNamedServers(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_') || name === 'DATABASE_URL') delete env[name];
  // A file that is not there: otherwise the one in the user's configuration folder is read.
  env['TEMPORAL_CONFIG_FILE'] = NO_FILE;
}
