import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StackError } from './errors.js';
import { sharedFolder } from './folders.js';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Postgres refuses to run as root. For root: the existing unprivileged user that runs it instead; for everybody else
 * undefined, Postgres then runs as the caller.
 */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody', 'daemon']) {
    const [uid, gid] = [id('-u', name), id('-g', name)];
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw new StackError(
    'POSTGRES_NO_USER',
    'Postgres cannot run as root, and this system has none of the users postgres, nobody, daemon to run it as. Create one (`useradd postgres`), run as an ordinary user, or set DATABASE_URL.',
  );
}

/** `folder` itself when `user` can reach it, else a folder of the same purpose that it can reach. */
export function reachableFolder(folder: string, user: SystemUser | undefined, purpose: string): string {
  return user === undefined || canPass(dirname(folder), user) ? folder : join(ownSharedFolder(), purpose);
}

/** The folder of the Postgres programs, copied once to where `user` can reach it if it must be. */
export function reachablePrograms(native: string, user: SystemUser | undefined, version: string): string {
  if (user === undefined || canPass(join(native, 'bin', 'postgres'), user)) return native;
  const folder = join(ownSharedFolder(), `postgres-${version}`);
  if (existsSync(folder)) return folder;
  const copy = `${folder}.${process.pid}`;
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  try {
    renameSync(copy, folder);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Every folder on the way, and the program at its end, must let the user pass. */
function canPass(path: string, user: SystemUser): boolean {
  const existing = nearestExisting(path);
  const { mode, uid, gid } = statSync(existing);
  const pass = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & pass) !== 0 && (existing === dirname(existing) || canPass(dirname(existing), user));
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** Its place is known to everybody and in a folder where everybody may write: use it only if it is really ours. */
function ownSharedFolder(): string {
  const folder = sharedFolder();
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new StackError('FOLDER_NOT_OURS', `${folder} belongs to somebody else (user id ${found.uid}). Remove it, or set DATABASE_URL.`);
  chmodSync(folder, 0o711);
  return folder;
}

function id(flag: '-u' | '-g', name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}
