import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { CliError } from '../errors.js';
import { SUPERVISED } from './programs.js';

export interface ChildOptions {
  readonly name: string;
  /** A file for `node`. */
  readonly program: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Answers something when a message (over IPC) or a line (of stdout) says that the child is ready. */
  readonly readyBy: { readonly message: (message: unknown) => boolean } | { readonly line: (line: string) => boolean };
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** What made it ready. */
  readonly ready: unknown;
  /** Resolves when it is gone, asked to or not. */
  readonly gone: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM; SIGKILL when it is not gone after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts a program of ours and resolves when it is ready. It has its own process group, so that Ctrl-C reaches it through `stop` and in
 * order; and it ends by itself when this process is killed (`supervised.ts`).
 */
export async function startChild({ name, program, args = [], env, logFile, readyBy }: ChildOptions): Promise<Child> {
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const child = spawn(process.execPath, ['--import', pathToFileURL(SUPERVISED()).href, program, ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout!.pipe(log, { end: false });
  child.stderr!.pipe(log, { end: false });
  const gone = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => log.end(() => resolve({ code, signal }))),
  );
  try {
    const ready = await Promise.race([readiness(child, readyBy), earlyEnd(name, gone, logFile), tooLate(name, logFile)]);
    return { name, pid: child.pid!, ready, gone, stop: (graceMs) => stop(child, gone, graceMs) };
  } catch (error) {
    await stop(child, gone, 2_000);
    throw error;
  }
}

function readiness(child: ChildProcess, readyBy: ChildOptions['readyBy']): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    if ('message' in readyBy) child.on('message', (message) => readyBy.message(message) && resolve(message));
    else createInterface({ input: child.stdout! }).on('line', (line) => readyBy.line(line) && resolve(line));
  });
}

async function earlyEnd(name: string, gone: Child['gone'], logFile: string): Promise<never> {
  const { code, signal } = await gone;
  throw new CliError('PROCESS_NOT_STARTED', `${name} ended before it was ready (${signal ?? `exit code ${code}`}):\n${tail(logFile)}`);
}

function tooLate(name: string, logFile: string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(
      () => reject(new CliError('PROCESS_NOT_STARTED', `${name} was not ready within ${READY_WITHIN_MS / 1000} s:\n${tail(logFile)}`)),
      READY_WITHIN_MS,
    ).unref();
  });
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}

async function stop(child: ChildProcess, gone: Child['gone'], graceMs = 45_000): Promise<void> {
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  if (isRunning()) child.kill('SIGTERM');
  const timer = setTimeout(() => isRunning() && child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}
