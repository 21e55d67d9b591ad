/** The built programs as processes of their own, that are killed and started again. */
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Program {
  readonly name: string;
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One program; after `kill` it can be started again, with the same settings. */
export class FaultyProcess {
  #child: ChildProcess | undefined;
  #said = '';

  constructor(
    readonly program: Program,
    private readonly hear: (text: string) => void = () => undefined,
  ) {}

  get name(): string {
    return this.program.name;
  }

  /** What it wrote last, for a message. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when it takes work, with what it told then. */
  async start(): Promise<unknown> {
    const { name, file, env } = this.program;
    // Not the arguments of the test runner: this is the built program.
    const child = fork(file, { env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-4_000);
        this.hear(text);
      });
    const [told] = await Promise.race([
      once(child, 'message') as Promise<unknown[]>,
      once(child, 'exit').then((): Promise<never> => Promise.reject(new Error(`${name} ended before it took work:\n${this.#said}`))),
    ]);
    return told;
  }

  /** SIGKILL; resolves when it is gone, with whether it had run until then. */
  async kill(): Promise<boolean> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    return true;
  }

  /** SIGTERM; resolves with its exit code when it has ended. */
  async end(): Promise<number | null> {
    const child = this.#child!;
    const gone = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGTERM');
    return (await gone)[0];
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** SIGKILL to every process that it started: the instances of a function host. Answers how many there were. */
  killChildren(): number {
    const pids = childrenOf(this.#child?.pid);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length;
  }
}

function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    // It answers 1 when there is none.
    return [];
  }
}
