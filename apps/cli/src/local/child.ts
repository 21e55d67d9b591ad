import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CliError } from '../errors.js';
import { aborted } from './interruption.js';
import { SUPERVISED } from './programs.js';

export interface ChildOptions {
  readonly name: string;
  /** A file for `node`, which sends one message over IPC when it is ready. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
  readonly readyWithinMs?: number;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The message that said so. */
  readonly ready: unknown;
  /** Resolves when it is gone, asked to or not. */
  readonly gone: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM; SIGKILL when it is not gone after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const TAIL_BYTES = 64 * 1024;

/**
 * Starts a program of ours and resolves when it is ready. It has its own process group, so that Ctrl-C reaches it through `stop` and in
 * order; and it ends by itself when this process is killed (`supervised.ts`). When it ends before, is late, or `signal` is aborted, it
 * is gone when this rejects.
 */
export async function startChild({ name, program, env, logFile, signal, readyWithinMs = 60_000 }: ChildOptions): Promise<Child> {
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  // A log that cannot be written (a full disk) must not take the stack with it.
  log.on('error', () => undefined);
  const child = spawn(process.execPath, ['--import', pathToFileURL(SUPERVISED()).href, program], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout!.pipe(log, { end: false });
  child.stderr!.pipe(log, { end: false });
  const gone = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => log.end(() => resolve({ code, signal }))),
  );
  const notStarted = (why: string) => new CliError('PROCESS_NOT_STARTED', `${name} ${why}:\n${tail(logFile)}`);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), readyWithinMs);
  try {
    const ready = await Promise.race([
      readiness(child),
      gone.then(({ code, signal }) => Promise.reject(notStarted(`ended before it was ready (${signal ?? `exit code ${code}`})`))),
      aborted(late.signal).then(() => Promise.reject(notStarted(`was not ready within ${readyWithinMs / 1000} s`))),
      ...(signal ? [aborted(signal).then(() => Promise.reject(signal.reason as Error))] : []),
    ]);
    return { name, pid: child.pid!, ready, gone, stop: (graceMs) => stop(child, gone, graceMs) };
  } catch (error) {
    await stop(child, gone, 2_000);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function readiness(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('message', resolve);
  });
}

/** The last lines of a log, for an error; a log that cannot be read says so itself. */
function tail(logFile: string): string {
  try {
    const file = openSync(logFile, 'r');
    try {
      const { size } = fstatSync(file);
      const end = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(file, end, 0, end.length, size - end.length);
      return end.toString('utf8').trimEnd().split('\n').slice(-15).join('\n');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return `its log cannot be read (${(error as Error).message})`;
  }
}

async function stop(child: ChildProcess, gone: Child['gone'], graceMs = 45_000): Promise<void> {
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  if (isRunning()) child.kill('SIGTERM');
  const timer = setTimeout(() => isRunning() && child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}
