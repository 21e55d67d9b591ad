import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ConnectionOptions } from '@temporalio/client';
import { StackBook } from './book.js';
import { StackError } from './errors.js';
import { stacksFolder } from './folders.js';
import { discard, stopOrphans, sweep } from './leftovers.js';
import { type Lock, takeLock } from './lock.js';
import { withFreePort } from './ports.js';
import { checkDatabase, startPostgres } from './postgres.js';
import type { Server } from './processes.js';
import { readState, stateFileOf } from './state.js';
import { configuredTemporal, prepareExternal } from './temporal-external.js';
import { startTemporal } from './temporal-server.js';

export interface StackOptions {
  /**
   * 1 to 64 letters, digits and dashes. Stacks of different names, and of different checkouts, never meet on servers of
   * their own; on a server that the user named, a namespace takes one stack at a time (`STACK_SHARED`).
   */
  readonly name: string;
  /** `persistent`: data survives a restart, Temporal has its web UI. `ephemeral`: fast, gone when stopped. */
  readonly mode: 'persistent' | 'ephemeral';
  /** Default: a folder of this checkout and name under the cache folder of this user. */
  readonly dataFolder?: string;
  /** Temporal namespaces to have besides `default`. */
  readonly namespaces?: readonly string[];
  /**
   * Default: the environment of this process, because this package is the composition root of a development machine, no
   * part of the platform: give it where that is not meant. Read: PATH, XDG_CACHE_HOME, DATABASE_URL, and what Temporal's
   * envconfig reads.
   */
  readonly env?: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

export interface TemporalEndpoint {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl?: string;
  /** A server that the user named; AutoFlow neither started it nor stops it. */
  readonly external: boolean;
  /** Address, TLS and API key, for `Connection.connect` and `NativeConnection.connect`. Not for logs. */
  readonly connection: ConnectionOptions & { readonly address: string };
}

export interface Stack {
  readonly temporal: TemporalEndpoint;
  /** Holds a password: not for logs. */
  readonly databaseUrl: string;
  /** Private to this stack; others may keep their files in it. An ephemeral stack removes it. */
  readonly folder: string;
  readonly stateFile: string;
  /** Resolves if a server of the stack ends without being stopped. */
  readonly lost: Promise<StackError>;
  /** Stops every process of the stack and returns when they are gone. May be called again. */
  stop(): Promise<void>;
}

const WELL_KNOWN_PORTS = { temporal: 7233, temporalUi: 8233 };

/**
 * Starts Temporal and Postgres for this machine, or connects to those that TEMPORAL_ADDRESS, temporal.toml or
 * DATABASE_URL name, and returns when both answer. The caller owns the stack until it calls `stop`; what an owner
 * that was killed left behind is stopped first. Fails with a `StackError`, leaving nothing behind.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = folderFor(options);
  claimFolder(folder);
  const lock = lockOf(folder, options.name);
  const book = new StackBook(folder, options);
  try {
    await stopOrphans(readState(folder));
    if (isOneOfMany(options)) await sweep(folder);
    book.open();
    const [temporal, databaseUrl] = await bothOrNone(temporalFor(options, folder, book), databaseFor(options, folder, book));
    const { connection: _secret, ...published } = temporal;
    book.write({ databaseUrl, temporal: published });
    let closed: Promise<void> | undefined;
    return { temporal, databaseUrl, folder, stateFile: stateFileOf(folder), lost: book.lost(), stop: () => (closed ??= close(book, lock)) };
  } catch (error) {
    await close(book, lock);
    throw error;
  }
}

/**
 * The folder of a persistent stack (an ephemeral stack adds to its name, so that every run has its own). Fails with a
 * `StackError` when the name is none.
 */
export function stackFolder(options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(options.name))
    throw new StackError(
      'STACK_NAME',
      `${JSON.stringify(options.name)} is not the name of a stack: use 1 to 64 letters, digits and dashes.`,
    );
  return resolve(options.dataFolder ?? join(stacksFolder(options.env ?? process.env), options.name));
}

function folderFor(options: StackOptions): string {
  const folder = stackFolder(options);
  return isOneOfMany(options) ? `${folder}-${process.pid}-${randomBytes(3).toString('hex')}` : folder;
}

/** Every run has an ephemeral stack of its own. */
function isOneOfMany({ mode, dataFolder }: StackOptions): boolean {
  return mode === 'ephemeral' && dataFolder === undefined;
}

/** A stack may remove its folder, so it takes none that holds anything else. Postgres's user must be able to pass. */
function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const files = readdirSync(folder);
  if (files.length > 0 && !files.some((name) => name === basename(stateFileOf(folder)) || name.startsWith('lock')))
    throw new StackError('FOLDER_NOT_OURS', `${folder} holds files that are not a stack's. Give a folder that is new or empty.`);
}

function lockOf(folder: string, name: string): Lock & { held: true } {
  const lock = takeLock(join(folder, 'lock'));
  if (lock.held) return lock;
  const address = readState(folder)?.temporal?.address;
  throw new StackError(
    'STACK_RUNNING',
    `Stack ${name} runs already in process ${lock.by.pid}${address ? ` (Temporal at ${address})` : ''}. Use it, or stop it first: Ctrl-C where it runs, or \`autoflow down\`.`,
  );
}

async function temporalFor(options: StackOptions, folder: string, book: StackBook): Promise<TemporalEndpoint> {
  const { env = process.env, namespaces = [], mode, log } = options;
  const external = configuredTemporal(env);
  if (external) {
    await prepareExternal(external, namespaces, log);
    return { address: external.connection.address, namespace: external.namespace, external: true, connection: external.connection };
  }
  const onStarted = (server: Server) => book.started('temporal', server);
  const persistent = mode === 'persistent';
  const ports = { ...(persistent && WELL_KNOWN_PORTS), ...book.state.ports };
  const {
    address,
    uiUrl,
    ports: taken,
  } = await withFreePort(() => startTemporal({ folder, persistent, namespaces, ports, env, onStarted }));
  book.write({ ports: { ...book.state.ports, ...taken } });
  return { address, namespace: 'default', external: false, connection: { address }, ...(uiUrl && { uiUrl }) };
}

async function databaseFor(options: StackOptions, folder: string, book: StackBook): Promise<string> {
  const { env = process.env, mode, log } = options;
  const given = env['DATABASE_URL'];
  if (given) {
    await checkDatabase(given);
    return given;
  }
  const onStarted = (server: Server) => book.started('postgres', server);
  const onHome = (postgresHome: string) => book.write({ postgresHome });
  const id = `${basename(folder)}-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  const { url, port } = await withFreePort(() =>
    startPostgres({ folder, id, durable: mode === 'persistent', port: book.state.ports.postgres, log, onHome, onStarted }),
  );
  book.write({ ports: { ...book.state.ports, postgres: port } });
  return url;
}

async function close(book: StackBook, lock: Lock & { held: true }): Promise<void> {
  await book.stopServers();
  if (book.state.mode === 'persistent') book.close();
  else discard(book.folder, book.state);
  lock.release();
}

/** When one part fails, the other must have come to rest before it can be stopped. */
async function bothOrNone<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
