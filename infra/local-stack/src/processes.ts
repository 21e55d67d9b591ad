import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError, type StackErrorCode } from './errors.js';

/** A process and when it began: a process id alone may have been given to somebody else since. */
export interface ProcessMark {
  readonly pid: number;
  readonly began: string;
}

/** A server that belongs to this process; its output goes to `logFile`. */
export interface Server {
  readonly mark: ProcessMark;
  readonly logFile: string;
  /** Resolves when the process is gone, never rejects. */
  readonly exited: Promise<void>;
  running(): boolean;
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Asks the server to end cleanly. */
  readonly stopSignal: NodeJS.Signals;
  readonly env: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Told at once, so that the process can be found again if its owner dies while it starts. */
  readonly onStarted: (server: Server) => void;
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches only the owner, who stops it when its work is
 * finished. When the owner exits without that, the server is told to stop.
 */
export async function startServer(options: ServerCommand): Promise<Server> {
  const log = openSync(options.logFile, 'w', 0o600);
  const child = spawn(options.command, [...options.args], {
    stdio: ['ignore', log, log],
    detached: true,
    cwd: '/',
    env: options.env,
    ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
  });
  closeSync(log);
  await once(child, 'spawn');
  const exited = once(child, 'exit').then(() => undefined);
  const mark = markOf(child.pid!) ?? { pid: child.pid!, began: 'unknown' };
  stopOnExitOfOwner(child, options.stopSignal, exited);
  const server: Server = {
    mark,
    logFile: options.logFile,
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    stop: () => stopProcess(mark, options.stopSignal),
  };
  options.onStarted(server);
  return server;
}

/** Repeats `attempt` until it succeeds; fails at once when the server ends, and at last when `withinMs` is over. */
export async function untilHealthy(server: Server, code: StackErrorCode, what: string, withinMs: number, attempt: () => Promise<void>) {
  const deadline = Date.now() + withinMs;
  for (let last: unknown; ;) {
    if (!server.running()) throw new StackError(code, `${what} ended while starting. Its log says:\n${logTail(server.logFile)}`);
    if (Date.now() > deadline)
      throw new StackError(code, `${what} did not answer within ${withinMs / 1000} s. Its log says:\n${logTail(server.logFile)}`, {
        cause: last,
      });
    try {
      return await attempt();
    } catch (error) {
      last = error;
      await delay(25);
    }
  }
}

/** Ends a process, by force when it has not ended after ten seconds. A process that is gone already is no error. */
export async function stopProcess(mark: ProcessMark, signal: NodeJS.Signals): Promise<void> {
  if (send(mark, signal) && !(await gone(mark, 10_000))) {
    send(mark, 'SIGKILL');
    await gone(mark, 10_000);
  }
}

export function isAlive(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.began === mark.began;
}

/** The mark of a running process; undefined when there is none, or only its exit status is left. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const began =
      process.platform === 'linux'
        ? beganOnLinux(pid)
        : execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return began ? { pid, began } : undefined;
  } catch {
    return undefined;
  }
}

/** Fields 3 and 22 of /proc/<pid>/stat: the state, and when the process began in clock ticks after boot. */
function beganOnLinux(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function send(mark: ProcessMark, signal: NodeJS.Signals): boolean {
  if (!isAlive(mark)) return false;
  try {
    return process.kill(mark.pid, signal);
  } catch {
    return false;
  }
}

async function gone(mark: ProcessMark, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await delay(10)) if (!isAlive(mark)) return true;
  return false;
}

function stopOnExitOfOwner(child: ChildProcess, signal: NodeJS.Signals, exited: Promise<void>): void {
  const stop = () => child.kill(signal);
  process.once('exit', stop);
  void exited.then(() => process.off('exit', stop));
}

/** The last lines of a log; of a server in Go that panicked, those before its stacks, which say why. */
function logTail(file: string): string {
  const [said = ''] = readFileSync(file, 'utf8').split(/^goroutine \d+ \[/m);
  return said.trimEnd().split('\n').slice(-15).join('\n');
}
